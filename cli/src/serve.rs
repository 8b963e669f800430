//! The local server, from the command line's side: its options, its log, and what it says when it is ready.

use std::future::Future;
use std::io::IsTerminal;
use std::net::SocketAddr;

use clap::Args;
use hooktide_flows::settings::{self, Settings};
use hooktide_local::server::{self, Ready, ServeOptions, reachable};
use serde_json::json;

use crate::args::Cli;
use crate::failure::Failure;
use crate::global::{Global, server_url};
use crate::log;
use crate::output::Output;

/// How the local server is run.
#[derive(Args)]
pub(crate) struct ServeArguments {
    /// With a sample connection of each provider, to try everything without an account anywhere.
    #[arg(long, env = "HOOKTIDE_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    demo: bool,
    /// Address to listen on.
    #[arg(long, env = "HOOKTIDE_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Address that providers call, such as that of a tunnel [default: the one listened on].
    #[arg(long, env = "HOOKTIDE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Address of pages that may call the API from a browser, or * for any; repeatable.
    #[arg(long = "origin", env = "HOOKTIDE_ORIGINS", value_name = "URL", value_delimiter = ',')]
    origins: Vec<String>,
    /// Switch the test tools on, for tokens with the scope operate.
    #[arg(long, env = "HOOKTIDE_TEST_TOOLS", value_parser = clap::builder::FalseyValueParser::new())]
    test_tools: bool,
    /// What to log, such as info or hooktide_flows=debug.
    #[arg(long, env = "HOOKTIDE_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

/// Runs it until Ctrl-C, or until the system asks it to end.
pub(crate) async fn run(arguments: ServeArguments, global: &Global, output: &Output) -> Result<(), Failure> {
    let public_url = arguments.public_url.filter(|url| !url.is_empty());
    if let Some(Err(reason)) = public_url.as_deref().map(server_url) {
        return Err(Failure::Usage(format!("--public-url or HOOKTIDE_PUBLIC_URL is not usable: {reason}.")));
    }
    let _log = log::start(&arguments.log, std::io::stderr().is_terminal())?;
    for name in settings::unread(variables(), &Cli::variables()) {
        tracing::warn!("{name} is set, and nothing reads it: see `hooktide serve --help` and the table of settings");
    }
    let settings = Settings::read(variable).map_err(|wrong| Failure::Usage(format!("{}.", wrong.join("; "))))?;
    let options = ServeOptions {
        home: global.home.clone(),
        listen: arguments.listen,
        public_url,
        demo: arguments.demo,
        origins: arguments.origins.into_iter().filter(|origin| !origin.is_empty()).collect(),
        test_tools: arguments.test_tools,
        settings,
    };
    let program = std::env::args().next().unwrap_or_else(|| "hooktide".to_owned());
    let announce = |ready: Ready| {
        if let Err(failure) = tell(&ready, &program, global, output) {
            tracing::warn!(reason = failure.message(), "nobody could be told that the server is ready");
        }
    };
    let stopped = stop_requested()?;
    // Some errors are whole sentences, others are not.
    let failed = |error: server::ServeError| Failure::Failed(format!("{}.", error.to_string().trim_end_matches('.')));
    server::serve(options, announce, stopped).await.map_err(failed)
}

#[expect(clippy::disallowed_methods, reason = "numbers with a table of their own, which is no list of arguments")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The names of all variables that are set.
fn variables() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

fn tell(ready: &Ready, program: &str, global: &Global, output: &Output) -> Result<(), Failure> {
    let base = format!("http://{}", reachable(ready.address));
    if output.json {
        return output.value(&json!({
            "url": base,
            "address": ready.address,
            "admin_token_file": ready.admin_token_file,
            "demo_connection": ready.demo_connections.get("shopify"),
            "demo_connections": ready.demo_connections,
            "simulators": ready.simulators,
        }));
    }
    let options = options_to_reach(global);
    let try_this = match ready.demo_connections.get("shopify") {
        Some(_) => format!("{program} send shopify products/update{options}"),
        None => format!("{program} connections add shopify --account SHOP --secret client_secret=@FILE{options}"),
    };
    let simulators: String = ready
        .simulators
        .iter()
        .map(|(provider, address)| format!("  {provider:<16} simulated at http://{address}\n"))
        .collect();
    output.line(&format!(
        "Hooktide is ready at {base}\n\
         \x20 feed       {base}/v1/events\n\
         \x20 admin key  {}\n\
         {simulators}\
         A line to try, in another terminal:\n\
         \x20 {try_this}",
        ready.admin_token_file.display()
    ))
}

/// The options by which other commands find this server: its folder has its address.
fn options_to_reach(global: &Global) -> String {
    match global.home.as_os_str() == ".hooktide" {
        true => String::new(),
        false => format!(" --home {}", global.home.display()),
    }
}

/// Ends when somebody presses Ctrl-C, or the system asks the process to end.
pub(crate) fn stop_requested() -> Result<impl Future<Output = ()>, Failure> {
    let unheard = |error: std::io::Error| Failure::Failed(format!("Signals cannot be listened for: {error}."));
    #[cfg(unix)]
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(unheard)?;
    Ok(async move {
        #[cfg(unix)]
        let terminated = terminated.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        global: Global,
    }

    fn options(arguments: &[&str]) -> Option<String> {
        let parsed = Options::try_parse_from(["hooktide"].iter().chain(arguments)).ok()?;
        Some(options_to_reach(&parsed.global))
    }

    #[test]
    fn the_line_to_try_finds_a_server_with_another_folder() {
        assert_eq!(options(&["--home", ".hooktide"]).as_deref(), Some(""));
        assert_eq!(options(&["--home", "/data"]).as_deref(), Some(" --home /data"));
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_at_loopback() {
        let reached = |text: &str| text.parse().ok().map(|address| reachable(address).to_string());
        assert_eq!(reached("0.0.0.0:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(reached("[::]:80").as_deref(), Some("[::1]:80"));
        assert_eq!(reached("10.0.0.1:80").as_deref(), Some("10.0.0.1:80"));
    }
}
