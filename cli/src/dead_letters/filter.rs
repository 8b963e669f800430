//! Which dead letters are meant, as options and as a filter.

use clap::Args;
use hooktide_model::fault::ErrorClass;
use hooktide_store::records::replay::Filter;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::moment::Moment;

/// The dead letters that are meant; an option that is not given excludes none.
#[derive(Args, Default)]
pub(crate) struct Which {
    /// Only letters of this connection.
    #[arg(long, value_name = "ID")]
    connection: Option<String>,
    /// Only letters of this topic.
    #[arg(long)]
    topic: Option<String>,
    /// Only letters of this class of error, such as unreadable.
    #[arg(long, value_parser = class)]
    class: Option<ErrorClass>,
    /// Received at or after this time, or this long ago, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    from: Option<Moment>,
    /// Received before this time, or longer ago than this.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    until: Option<Moment>,
    /// Only the letter with this id.
    #[arg(long)]
    id: Option<String>,
}

/// The dead letters that are meant, where the choice must be explicit.
#[derive(Args)]
pub(crate) struct Chosen {
    #[command(flatten)]
    which: Which,
    /// All of them.
    #[arg(long, conflicts_with_all = ["connection", "topic", "class", "from", "until", "id"])]
    all: bool,
    /// Only tell how many there would be.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Which {
    /// The filter, where distances count back from `now`.
    pub(crate) fn filter(self, now: Timestamp) -> Filter {
        Filter {
            connection: self.connection,
            topic: self.topic,
            class: self.class,
            received_from: self.from.map(|from| from.before(now)),
            received_until: self.until.map(|until| until.before(now)),
            id: self.id,
        }
    }
}

impl Chosen {
    /// The filter, unless no choice was made.
    pub(crate) fn filter(self, now: Timestamp) -> Result<Filter, Failure> {
        let filter = self.which.filter(now);
        if self.all || filter != Filter::default() {
            return Ok(filter);
        }
        let message = "Say which: --id, --connection, --topic, --class, --from, --until, or --all.";
        Err(Failure::Usage(message.to_owned()))
    }
}

/// Reads the name of a class.
fn class(name: &str) -> Result<ErrorClass, String> {
    serde_json::from_value(json!(name)).map_err(|error| error.to_string())
}

/// Whether a filter matches a dead letter from the server.
pub(super) fn is_meant(filter: &Filter, letter: &Value) -> bool {
    let has = |name: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| letter.get(name).and_then(Value::as_str) == Some(wanted))
    };
    let received_at = letter.get("received_at").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    has("id", filter.id.as_deref())
        && has("connection", filter.connection.as_deref())
        && has("topic", filter.topic.as_deref())
        && has("class", filter.class.map(ErrorClass::as_str))
        && filter.received_from.is_none_or(|from| received_at.is_some_and(|at| at >= from))
        && filter.received_until.is_none_or(|until| received_at.is_some_and(|at| at < until))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn options_become_a_filter() {
        let which = Which {
            topic: Some("products/update".to_owned()),
            class: class("unreadable").ok(),
            from: Some(Moment::Away(SignedDuration::from_hours(2))),
            ..Which::default()
        };
        let expected =
            json!({ "topic": "products/update", "class": "unreadable", "received_from": "1969-12-31T22:00:00Z" });
        assert_eq!(json!(which.filter(NOW)), expected);
    }

    #[test]
    fn nothing_is_replayed_or_discarded_without_saying_which() {
        let chosen = |all, id: Option<&str>| {
            let which = Which { id: id.map(str::to_owned), ..Which::default() };
            Chosen { which, all, dry_run: false }.filter(NOW)
        };
        assert!(matches!(chosen(false, None), Err(Failure::Usage(_))));
        assert_eq!(chosen(true, None), Ok(Filter::default()));
        assert!(chosen(false, Some("a")).is_ok());
    }

    #[test]
    fn an_unknown_class_is_answered_with_those_that_are() {
        assert!(class("nonsense").is_err_and(|message| message.contains("tries-exhausted")));
    }

    #[test]
    fn only_letters_that_fit_in_everything_are_meant() {
        let letter = json!({
            "id": "a", "connection": null, "topic": "t", "class": "unreadable", "received_at": "1970-01-01T00:00:00Z",
        });
        let filter = Filter { topic: Some("t".to_owned()), received_from: Some(NOW), ..Filter::default() };
        assert!(is_meant(&filter, &letter));
        assert!(is_meant(&Filter::default(), &letter));
        assert!(!is_meant(&Filter { received_until: Some(NOW), ..filter.clone() }, &letter));
        assert!(!is_meant(&Filter { connection: Some("c".to_owned()), ..filter.clone() }, &letter));
        assert!(!is_meant(&Filter { class: Some(ErrorClass::BodyLost), ..filter }, &letter));
    }
}
