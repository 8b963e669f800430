//! Sends signed sample webhooks to the address that the provider was told: on the server's machine the server signs,
//! elsewhere the secret is given and this command signs.

mod sample;
mod summary;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, TryStreamExt};
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

/// How many batches of samples are being signed at the same time.
const SIGNED_AHEAD: usize = 4;

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
    /// How many samples, each about another entity.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// How many samples a second at the most [default: as fast as it goes].
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Which entity the first sample is about; the same number is the same entity.
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
            .is_some_and(|provider| !provider.profile().schemes.iter().any(|scheme| scheme.covers.body))
    {
        let message =
            format!("What {} signs does not cover the body: there is nothing to tamper with.", arguments.provider);
        return Err(Failure::Usage(message));
    }
    let signer = Signer::of(&arguments, client).await?;
    // The first sample says where to send, and whether this works at all.
    let first = signer.samples(number, 1).await?;
    let url = first.first().map(|sample| sample.uri().to_string()).unwrap_or_default();
    let url = Url::parse(&url).map_err(|error| Failure::Failed(error.to_string()))?;
    let http = client::http_to(&url)?;
    let progress = progress(count, output);
    #[expect(clippy::disallowed_methods, reason = "a person waits here and is told how long it took")]
    let begun = Instant::now();
    let rest = batches(number, last, arguments.rate).map(|(from, many)| signer.samples(from, many));
    let samples = futures::stream::once(async { Ok(first) })
        .chain(futures::stream::iter(rest).buffered(SIGNED_AHEAD))
        .map_ok(|samples| futures::stream::iter(samples.into_iter().map(Ok)))
        .try_flatten()
        .enumerate();
    let form = Form { duplicate: arguments.duplicate, tamper: arguments.tamper };
    let deliveries = samples.map(|(nth, sample)| {
        let (rate, http) = (arguments.rate, http.clone());
        async move {
            let sample = sample?;
            if let Some(rate) = rate {
                tokio::time::sleep_until((begun + Duration::from_secs_f64(nth as f64 / rate)).into()).await;
            }
            // Each on a task of its own, so that all cores send.
            let delivered = tokio::spawn(async move { deliver(sample, form, &http).await }).await;
            delivered.map_err(|error| Failure::Failed(format!("A delivery broke off: {error}.")))
        }
    });
    let mut answers = std::pin::pin!(deliveries.buffer_unordered(AT_ONCE));
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

/// The samples after the first one, as the first number and the count of each batch. A slow rate signs few ahead, since
/// signatures age.
fn batches(first: u64, last: u64, rate: Option<f64>) -> impl Iterator<Item = (u64, u64)> {
    let largest = rate.map_or(sample::AT_ONCE, |rate| (rate as u64).clamp(1, sample::AT_ONCE));
    let mut before = first;
    std::iter::from_fn(move || {
        let many = (last - before).min(largest);
        let batch = (many > 0).then(|| (before + 1, many));
        before += many;
        batch
    })
}

/// The form in which each sample is sent.
#[derive(Debug, Clone, Copy)]
struct Form {
    duplicate: bool,
    tamper: bool,
}

/// Sends a sample as often and in the form that was asked for.
async fn deliver(sample: Request<Bytes>, form: Form, http: &reqwest::Client) -> Vec<Answer> {
    let sample = if form.tamper { sample.map(|body| tampered(&body)) } else { sample };
    let again = form.duplicate.then(|| sample.clone());
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
    fn samples_are_signed_in_batches_and_few_ahead_of_a_slow_rate() {
        let of = |first, last, rate| batches(first, last, rate).collect::<Vec<_>>();
        assert_eq!(of(1, 1, None), []);
        assert_eq!(of(1, 112, None), [(2, 50), (52, 50), (102, 11)]);
        assert_eq!(of(1, 4, Some(0.5)), [(2, 1), (3, 1), (4, 1)]);
        assert_eq!(of(u64::MAX - 1, u64::MAX, Some(9.0)), [(u64::MAX, 1)]);
    }

    #[test]
    fn a_rate_is_a_positive_number() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for text in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(rate(text).is_err(), "{text:?}");
        }
    }
}
