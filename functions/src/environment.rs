//! The environment of a function, as the template sets it.

use hooktide_flows::settings::Settings;

/// What a function needs to know of its deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// The name of the table.
    pub table: String,
    /// The ARN of the secret that holds the root keys.
    pub root_keys: String,
    /// The address of the queue for notices.
    pub notices_queue: String,
    /// The address of the queue for what must not wait.
    pub priority_queue: String,
    /// The address of the queue for jobs.
    pub jobs_queue: String,
    /// The address of the queue of messages that the others gave up on.
    pub dead_queue: String,
    /// The name of the bus.
    pub bus: String,
    /// The name of the bucket.
    pub bucket: String,
    /// The ARN of the secret that the distribution in front sends along; none, if there is none.
    pub front_secret: Option<String>,
    /// From where browsers may call the API.
    pub origins: Vec<String>,
    /// What the operator set.
    pub settings: Settings,
}

/// A variable that the template sets.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

/// The variables that every function needs.
pub const REQUIRED: [Variable; 9] = [
    Variable { name: "HOOKTIDE_TABLE", about: "the name of the table" },
    Variable { name: "HOOKTIDE_ROOT_KEYS", about: "the ARN of the secret that holds the root keys" },
    Variable { name: "HOOKTIDE_NOTICES_QUEUE", about: "the address of the queue for notices" },
    Variable { name: "HOOKTIDE_PRIORITY_QUEUE", about: "the address of the queue for notices that must not wait" },
    Variable { name: "HOOKTIDE_JOBS_QUEUE", about: "the address of the queue for jobs" },
    Variable { name: "HOOKTIDE_DEAD_QUEUE", about: "the address of the dead-letter queue" },
    Variable { name: "HOOKTIDE_BUS", about: "the name of the event bus" },
    Variable { name: "HOOKTIDE_BUCKET", about: "the name of the bucket for claim checks and large documents" },
    Variable { name: "HOOKTIDE_PUBLIC_URL", about: "what providers call, such as https://hooks.example.com" },
];

/// The variables that a function does without.
pub const OPTIONAL: [Variable; 3] = [
    Variable {
        name: "HOOKTIDE_FRONT_SECRET",
        about: "the ARN of the secret that the distribution in front sends along; what comes without it is refused",
    },
    Variable { name: "HOOKTIDE_ORIGINS", about: "from where browsers may call the API, separated by commas" },
    Variable { name: "HOOKTIDE_LOG", about: "what to log, such as info or hooktide_flows=debug" },
];

/// What is missing or malformed, all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not complete: {}. Deploy with the template, which sets all of it.", .0.join("; "))]
pub struct EnvironmentFault(pub Vec<String>);

impl Environment {
    /// Reads the environment by `lookup`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentFault> {
        let mut wrong = Vec::new();
        let mut values = REQUIRED.iter().map(|variable| {
            let value = lookup(variable.name).filter(|value| !value.is_empty());
            value.unwrap_or_else(|| {
                wrong.push(format!("{} is missing ({})", variable.name, variable.about));
                String::new()
            })
        });
        let mut next = || values.next().unwrap_or_default();
        let (table, root_keys, notices_queue, priority_queue) = (next(), next(), next(), next());
        let (jobs_queue, dead_queue, bus, bucket, public_url) = (next(), next(), next(), next(), next());
        drop(values);
        let public_url = public_url.trim_end_matches('/').to_owned();
        if !public_url.is_empty() && !public_url.starts_with("https://") && !public_url.starts_with("http://") {
            wrong
                .push(format!("HOOKTIDE_PUBLIC_URL is {public_url:?}, and not an address such as https://example.com"));
        }
        let settings = Settings::read(&lookup).unwrap_or_else(|faults| {
            wrong.extend(faults);
            Settings::default()
        });
        if !wrong.is_empty() {
            return Err(EnvironmentFault(wrong));
        }
        let origins = lookup("HOOKTIDE_ORIGINS").unwrap_or_default();
        let origins =
            origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        let settings = Settings { public_url, ..settings };
        let front_secret = lookup("HOOKTIDE_FRONT_SECRET").filter(|arn| !arn.is_empty());
        Ok(Self {
            table,
            root_keys,
            notices_queue,
            priority_queue,
            jobs_queue,
            dead_queue,
            bus,
            bucket,
            front_secret,
            origins,
            settings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(name: &str) -> Option<String> {
        match name {
            "HOOKTIDE_PUBLIC_URL" => Some("https://hooks.example.com/".into()),
            "HOOKTIDE_ORIGINS" => Some("https://a.example, https://b.example".into()),
            name => REQUIRED.iter().find(|variable| variable.name == name).map(|variable| variable.about.to_owned()),
        }
    }

    #[test]
    fn each_variable_is_read_into_its_place() {
        let environment = Environment::read(complete).unwrap();
        assert_eq!(environment.table, "the name of the table");
        assert_eq!(environment.jobs_queue, "the address of the queue for jobs");
        assert_eq!(environment.bucket, "the name of the bucket for claim checks and large documents");
        assert_eq!(environment.settings.public_url, "https://hooks.example.com");
        assert_eq!(environment.origins, ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn there_is_nothing_in_front_unless_its_secret_is_named() {
        for (set, expected) in [(None, None), (Some(""), None), (Some("arn:front"), Some("arn:front"))] {
            let environment = Environment::read(|name| match name {
                "HOOKTIDE_FRONT_SECRET" => set.map(str::to_owned),
                name => complete(name),
            });
            assert_eq!(environment.unwrap().front_secret.as_deref(), expected);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_in_one_message() {
        let fault = Environment::read(|name| match name {
            "HOOKTIDE_TABLE" => None,
            "HOOKTIDE_BUS" => Some(String::new()),
            "HOOKTIDE_PUBLIC_URL" => Some("example.com".into()),
            "HOOKTIDE_KEEP_HELD_DAYS" => Some("-1".into()),
            name => complete(name),
        });
        let text = fault.unwrap_err().to_string();
        for wrong in ["HOOKTIDE_TABLE is missing", "HOOKTIDE_BUS is missing", "example.com", "HOOKTIDE_KEEP_HELD_DAYS"]
        {
            assert!(text.contains(wrong), "{text}");
        }
    }
}
