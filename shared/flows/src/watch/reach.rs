//! Whether our own webhook address can be reached, as a provider would reach it: looked at before it is registered.

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::{Ports, Settings};
use hooktide_store::ports::{Call, Destination, Limits};

const LIMITS: Limits = Limits { time: Duration::from_secs(5), size: 64 * 1024 };

/// Why our address is not reachable; `None` if it is.
pub(crate) async fn unreachable(ports: &Ports, settings: &Settings) -> Option<String> {
    let request = Request::get(format!("{}/v1/health", settings.public_url)).body(Bytes::new()).ok()?;
    let call = Call { request, limits: LIMITS, to: Destination::Operator };
    match ports.http.send(call).await {
        // Also a server that is not well answers, and can be told.
        Ok(answer) if answer.status().is_success() || answer.status().as_u16() == 503 => None,
        Ok(answer) => Some(format!("{} answers {} instead of being healthy", settings.public_url, answer.status())),
        Err(_) => {
            Some(format!("{} cannot be reached; set HOOKTIDE_PUBLIC_URL to an address that can", settings.public_url))
        }
    }
}
