//! The `hooktide` command: the local server, and everything that is done to a server over its API.
//!
//! Exit codes: 0 done, 1 failed, 2 used wrongly. What was asked for goes to stdout, everything else to stderr.

mod args;
mod busy;
mod calendars;
mod client;
mod connections;
mod cost;
mod credential;
mod dead_letters;
mod endpoints;
mod failure;
mod feed;
mod global;
mod log;
mod manage;
mod moment;
mod output;
mod providers;
mod queues;
mod resources;
mod secrets;
mod send;
mod serve;
mod server;
mod simulate;
mod status;
mod subscriptions;
mod sync;
mod tail;
mod tokens;
mod waiting;

use std::process::ExitCode;

/// The local server allocates in small pieces: this allocator takes a sixth of its time off.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::Parser;

use self::args::{Cli, Command};
use self::client::Client;
use self::failure::Failure;
use self::output::Output;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.global.json };
    match run(cli, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                output.note(&format!("error: {message}"));
            }
            failure.exit_code()
        }
    }
}

async fn run(cli: Cli, output: &Output) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    let client = || Client::new(&global, output);
    match command {
        Command::Serve(arguments) => serve::run(arguments, &global, output).await,
        Command::SimulateProvider(arguments) => simulate::run(arguments, output).await,
        Command::Token(command) => tokens::run(command, &global, &client()?, output).await,
        Command::Endpoints(command) => endpoints::run(command, &client()?, output).await,
        Command::Connections(command) => connections::run(command, &client()?, output).await,
        Command::Providers => providers::run(output),
        Command::Send(arguments) => send::run(arguments, &client()?, output).await,
        Command::Tail => tail::run(&client()?, output).await,
        Command::Changes(arguments) => feed::changes(arguments, &client()?, output).await,
        Command::Activity(arguments) => feed::activity(arguments, &client()?, output).await,
        Command::Sync(arguments) => sync::run(arguments, &client()?, output).await,
        Command::Resources(arguments) => resources::run(arguments, &client()?, output).await,
        Command::Subscriptions(arguments) => subscriptions::run(arguments, &client()?, output).await,
        Command::Calendars(arguments) => calendars::run(arguments, &client()?, output).await,
        Command::Busy(command) => busy::run(command, &client()?, output).await,
        Command::Queues => queues::run(&client()?, output).await,
        Command::DeadLetters(command) => dead_letters::run(command, &client()?, output).await,
        Command::Waiting => waiting::run(&client()?, output).await,
        Command::Cost(arguments) => cost::run(&arguments, output),
        Command::Status => status::run(&client()?, output).await,
    }
}
