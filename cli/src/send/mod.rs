//! Sends signed sample webhooks to the address that the provider was told: on the server's machine the server signs,
//! elsewhere the secret is given and this command signs.

mod sample;
mod summary;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use futures::StreamExt;
use hooktide_model::secret::Secret;
use http::Request;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Url;

use self::sample::Signer;
use self::summary::{Answer, Summary};
use crate::client::{self, Client};
use crate::failure::{Failure, root_cause};
use crate::output::Output;
use crate::secrets;

/// How many samples are on their way at the same time.
const AT_ONCE: usize = 32;

/// What to send.
#[derive(Args)]
#[command(after_help = "The exit code is 0 when every delivery was accepted or, with --tamper, every one was refused.")]
pub(crate) struct SendArguments {
    /// Provider, as `hooktide providers` names it.
    provider: String,
    /// Topic, such as products/update.
    topic: String,
    /// Connection to send to; not needed where the provider has only one.
    #[arg(long, value_name = "ID")]
    connection: Option<String>,
    /// File with the body to send instead of a sample; - for standard input.
    #[arg(long, value_name = "BODY")]
    file: Option<PathBuf>,
    /// How many samples, each about another thing.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// How many samples a second at the most [default: as fast as it goes].
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Which thing the first sample is about; the same number is the same thing.
    #[arg(long, value_name = "N", default_value_t = 1)]
    number: u64,
    /// Send each delivery twice, as it is.
    #[arg(long)]
    duplicate: bool,
    /// Change a byte of the body after signing; it must be refused.
    #[arg(long)]
    tamper: bool,
    /// Send a state that is an hour older than the newest; it must not overwrite anything.
    #[arg(long)]
    old: bool,
    /// Secret to sign with, where the server is on another machine: the secret itself, @FILE, or - for standard input.
    #[arg(long, value_name = "SECRET", value_parser = secrets::hidden)]
    secret: Option<Secret>,
}

/// Sends, and tells what came of it.
pub(crate) async fn run(arguments: SendArguments, client: &Client, output: &Output) -> Result<(), Failure> {
    let SendArguments { count, number, .. } = arguments;
    let last = number.checked_add(count - 1);
    let last = last.ok_or_else(|| Failure::Usage("--number and --count go beyond the largest number.".to_owned()))?;
    if arguments.tamper
        && hooktide_providers::by_id(&arguments.provider)
            .is_some_and(|provider| !provider.schemes().iter().any(|scheme| scheme.covers.body))
    {
        let message =
            format!("What {} signs does not cover the body: there is nothing to tamper with.", arguments.provider);
        return Err(Failure::Usage(message));
    }
    let signer = Signer::of(&arguments, client).await?;
    let first = signer.sample(number).await?;
    let url = Url::parse(&first.uri().to_string()).map_err(|error| Failure::Failed(error.to_string()))?;
    let http = client::http_to(&url)?;
    let progress = progress(count, output);
    #[expect(clippy::disallowed_methods, reason = "a person waits here and is told how long it took")]
    let begun = Instant::now();
    let samples = (number..=last).map(|nth| {
        let (signer, http, first, arguments) = (&signer, &http, &first, &arguments);
        async move {
            if let Some(rate) = arguments.rate {
                let start = begun + Duration::from_secs_f64((nth - number) as f64 / rate);
                tokio::time::sleep_until(start.into()).await;
            }
            let request = if nth == number { first.clone() } else { signer.sample(nth).await? };
            Ok(deliver(request, arguments, http).await)
        }
    });
    let mut answers = futures::stream::iter(samples).buffer_unordered(AT_ONCE);
    let mut summary = Summary::default();
    let mut stopped = Ok(());
    while let Some(delivered) = answers.next().await {
        match delivered {
            Ok(delivered) => delivered.into_iter().for_each(|answer| summary.add(answer)),
            Err(failure) => {
                stopped = Err(failure);
                break;
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    summary.show(begun.elapsed(), output)?;
    stopped.and_then(|()| summary.verdict(arguments.tamper))
}

/// Sends a sample as often and in the form that was asked for.
async fn deliver(sample: Request<Bytes>, arguments: &SendArguments, http: &reqwest::Client) -> Vec<Answer> {
    let sample = if arguments.tamper { sample.map(|body| tampered(&body)) } else { sample };
    let again = arguments.duplicate.then(|| sample.clone());
    let mut answers = Vec::new();
    for request in std::iter::once(sample).chain(again) {
        answers.push(post(request, http).await);
    }
    answers
}

async fn post(request: Request<Bytes>, http: &reqwest::Client) -> Answer {
    let answered = async {
        let response = http.execute(reqwest::Request::try_from(request)?).await?;
        let status = response.status();
        Ok::<_, reqwest::Error>((status, response.bytes().await?))
    };
    match answered.await {
        Ok((status, _)) if status.is_success() => Answer::Accepted(status),
        Ok((status, body)) => Answer::Refused(status, client::explain(status, &body)),
        Err(error) => Answer::None(root_cause(&error)),
    }
}

/// The body with one bit changed in its middle.
fn tampered(body: &Bytes) -> Bytes {
    let mut body = body.to_vec();
    let middle = body.len() / 2;
    match body.get_mut(middle) {
        Some(byte) => *byte ^= 1,
        None => body.push(b'x'),
    }
    body.into()
}

/// Reads `--rate`.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate >= 0.001);
    rate.ok_or_else(|| "expected how many a second, such as 50 or 0.5".to_owned())
}

fn read_body(file: &Path) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut body).map(drop)
    } else {
        std::fs::read(file).map(|content| body = content)
    };
    read.map_err(|error| Failure::Failed(format!("The body cannot be read from {}: {error}.", file.display())))?;
    Ok(body.into())
}

/// A progress bar for long work on a terminal; indicatif hides it anywhere else.
fn progress(count: u64, output: &Output) -> ProgressBar {
    if count == 1 || output.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  {eta} left");
    ProgressBar::new(count).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tampering_changes_one_byte_and_keeps_the_length() {
        let body = Bytes::from_static(br#"{"id":4711}"#);
        let changed = tampered(&body);
        assert_eq!(changed.len(), body.len());
        assert_eq!(changed.iter().zip(&body).filter(|(left, right)| left != right).count(), 1);
    }

    #[test]
    fn an_empty_body_is_tampered_with_by_filling_it() {
        assert_eq!(tampered(&Bytes::new()), Bytes::from_static(b"x"));
    }

    #[test]
    fn a_rate_is_a_positive_number() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for text in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(rate(text).is_err(), "{text:?}");
        }
    }
}
