//! The commands, and what each takes.

use clap::{CommandFactory, Parser, Subcommand};

use crate::busy::BusyCommand;
use crate::calendars::CalendarsArguments;
use crate::connections::ConnectionsCommand;
use crate::cost::CostArguments;
use crate::dead_letters::DeadLettersCommand;
use crate::endpoints::EndpointsCommand;
use crate::feed::{ActivityArguments, ChangesArguments};
use crate::global::Global;
use crate::resources::OfConnection;
use crate::send::SendArguments;
use crate::serve::ServeArguments;
use crate::simulate::SimulateArguments;
use crate::subscriptions::SubscriptionsArguments;
use crate::sync::SyncArguments;
use crate::tokens::TokenCommand;

/// Webhook-first sync: verifies what providers send, works out what really changed, and tells who needs to know.
#[derive(Parser)]
#[command(version, after_help = "Exit codes: 0 done, 1 failed, 2 used wrongly.")]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The variables that arguments are read from.
    pub(crate) fn variables() -> Vec<String> {
        fn of(command: &clap::Command, names: &mut Vec<String>) {
            let read = command.get_arguments().filter_map(clap::Arg::get_env).filter_map(std::ffi::OsStr::to_str);
            names.extend(read.map(str::to_owned));
            command.get_subcommands().for_each(|command| of(command, names));
        }
        let mut names = Vec::new();
        of(&Self::command(), &mut names);
        names
    }
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the local server: one process, no cloud account.
    Serve(ServeArguments),
    /// Serve the simulator of a provider's API, to try everything without an account.
    SimulateProvider(SimulateArguments),
    /// Create, list and revoke API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage the endpoints of provider apps that serve many accounts.
    #[command(subcommand)]
    Endpoints(EndpointsCommand),
    /// Manage connections: one account at one provider each.
    #[command(subcommand)]
    Connections(ConnectionsCommand),
    /// Show the providers, what their signatures cover, the secrets they need and their topics.
    Providers,
    /// Send signed sample webhooks, as the provider would.
    Send(SendArguments),
    /// Follow changes and activity as they happen, until Ctrl-C.
    Tail,
    /// Show what changed.
    Changes(ChangesArguments),
    /// Show what became of each delivery.
    Activity(ActivityArguments),
    /// Sync a connection now; or show, test, enable or disable its sync.
    Sync(SyncArguments),
    /// Show how each resource of the connections is read, how far, and what that costs.
    Resources(OfConnection),
    /// Show how each subscription at a provider is doing, and what to do about it.
    Subscriptions(SubscriptionsArguments),
    /// Show the calendars of a connection, or choose which are read, block time in others, and are blocked.
    Calendars(CalendarsArguments),
    /// List, plan and remove blocks: times that are taken in a calendar because they are in another one.
    #[command(subcommand)]
    Busy(BusyCommand),
    /// Show how much waits in the server's queues.
    Queues,
    /// List, show, replay and discard what could not be processed.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Show what is recorded and not done yet: jobs, and deliveries that are held for accounts.
    Waiting,
    /// Compute what webhooks cost on AWS, on list prices; no server is asked.
    Cost(CostArguments),
    /// Show whether the server is well, and how much there is.
    Status,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_are_taken_after_the_command_as_well() {
        let parsed =
            Cli::try_parse_from(["hooktide", "connections", "list", "--json", "--url", "https://example.com/prod"]);
        let path = |cli: &Cli| cli.global.url.as_ref().map(|url| url.path().to_owned());
        assert!(parsed.is_ok_and(|cli| cli.global.json && path(&cli).as_deref() == Some("/prod")));
    }

    #[test]
    fn a_sync_is_begun_by_the_connection_alone_and_other_things_by_their_names() {
        let is_read = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        for line in ["sync c1", "sync c1 --full", "sync status c1", "sync enable c1 --rule propagateChanges=true"] {
            assert!(is_read(&format!("hooktide {line}")), "{line}");
        }
        assert!(!is_read("hooktide sync") && !is_read("hooktide sync status"));
        assert!(is_read("hooktide subscriptions --connection c1") && is_read("hooktide subscriptions enable c1.2"));
    }

    #[test]
    fn a_choice_is_for_one_calendar_and_read_or_not() {
        let is_read = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        for line in ["c1", "c1 a@b.example", "c1 a@b.example --include --blocks-others yes --is-blocked no"] {
            assert!(is_read(&format!("hooktide calendars {line}")), "{line}");
        }
        for line in ["c1 --include", "c1 --is-blocked yes", "c1 a --include --exclude", "c1 a --is-blocked maybe"] {
            assert!(!is_read(&format!("hooktide calendars {line}")), "{line}");
        }
        assert!(is_read("hooktide busy plan --user anna") && is_read("hooktide busy remove c1"));
        assert!(!is_read("hooktide busy remove"));
    }

    #[test]
    fn a_wrong_secret_argument_is_not_repeated_in_the_error() {
        let arguments = ["hooktide", "connections", "add", "shopify", "--secret", "hush-hush", "--nonsense"];
        let text = Cli::try_parse_from(arguments).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("--nonsense") && !text.contains("hush-hush"), "{text}");
    }

    #[test]
    fn the_variables_of_all_commands_are_known() {
        let names = Cli::variables();
        for name in ["HOOKTIDE_URL", "HOOKTIDE_TOKEN", "HOOKTIDE_HOME", "HOOKTIDE_LISTEN", "HOOKTIDE_LOG"] {
            assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
        }
    }
}
