//! The parameters of a request.

use jiff::Timestamp;

use super::refused::Refused;
use hooktide_model::signing;

/// The parameters that all methods have.
const OF_ALL: &str = "alt fields key prettyPrint quotaUser userIp";
/// The parameters that say where in a list its page is. They may differ from page to page.
const PLACES: &[&str] = &["pageToken", "syncToken", "quotaUser", "userIp", "prettyPrint"];

/// The parameters of a request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// The parameters, if the method has all of them.
    pub(super) fn of(pairs: Vec<(String, String)>, known: &str) -> Result<Self, Refused> {
        let is_known = |name: &str| is_among(known, name) || is_among(OF_ALL, name);
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_known(name)) {
            let message =
                format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter.");
            return Err(Refused::new(400, "badRequest", message));
        }
        let query = Self(pairs);
        match query.text("alt").is_none_or(|alt| alt == "json") {
            true => Ok(query),
            false => Err(Refused::parameter("alt", "Invalid value for alt.")),
        }
    }

    /// The value of a parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of a parameter that can be repeated.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is true or false.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refused> {
        self.read(name, |text| text.parse().ok())
    }

    /// A number, up to a bound.
    pub(super) fn number(&self, name: &str, most: usize) -> Result<Option<usize>, Refused> {
        let number = self.read(name, |text| text.parse::<u32>().ok().filter(|number| *number > 0))?;
        Ok(number.map(|number| usize::try_from(number).unwrap_or(most).min(most)))
    }

    /// A time, with an offset.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Refused> {
        self.read(name, |text| text.parse().ok())
    }

    fn read<T>(&self, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Refused> {
        let refused = |text: &str| Refused::parameter(name, format!("Invalid value '{text}' for {name}."));
        self.text(name).map(|text| read(text).ok_or_else(|| refused(text))).transpose()
    }

    /// What is the same on all pages of a list.
    pub(super) fn mark(&self) -> String {
        let mut pairs: Vec<_> = self.0.iter().filter(|(name, _)| !PLACES.contains(&name.as_str())).collect();
        pairs.sort_unstable();
        let lines: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        signing::sha256_hex(lines.join("\n").as_bytes())
    }
}

/// Whether a name is one of those in a text, which spaces divide.
pub(super) fn is_among(names: &str, name: &str) -> bool {
    names.split(' ').any(|known| known == name)
}
