//! What stands in front of the HTTP API: nothing, or a distribution of CloudFront with a firewall.
//!
//! The HTTP API has an address of its own, so whoever knows it could go around the firewall. The distribution therefore
//! sends a secret along, in a header that it sets whatever the sender wrote there; what comes without it is refused before
//! anything else is looked at. The secret also proves what the distribution says of the sender's address.

use std::net::IpAddr;

use hooktide_aws::secret::StoredSecret;
use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use hooktide_model::secret::Secret;
use hooktide_model::signing::equal;
use http::HeaderMap;
use serde::Deserialize;
use tracing::{info, warn};

/// The header with the secret.
const PROOF: &str = "x-hooktide-front";
/// The header in which CloudFront tells the sender's address and port.
const VIEWER: &str = "cloudfront-viewer-address";
/// The shortest secret that proves anything, in bytes.
const SHORTEST: usize = 32;

/// What stands in front.
#[derive(Debug)]
pub struct Front(pub Option<StoredSecret<FrontSecret>>);

impl Front {
    /// The address that a request came from, which the HTTP API saw at `peer`; or the answer to a request that went around
    /// what is in front. What proves the way is taken from the headers: it is nobody else's to see.
    pub async fn admit(&self, headers: &mut HeaderMap, peer: String) -> Result<String, Problem> {
        let Some(stored) = &self.0 else { return Ok(peer) };
        let way = Way::of(headers);
        let known = stored.get().await.map_err(unavailable)?;
        // A secret that was replaced a moment ago is read anew.
        let proved = known.proves(&way) || stored.get_anew().await.map_err(unavailable)?.proves(&way);
        if proved {
            return Ok(way.viewer.unwrap_or(peer));
        }
        info!(source = peer, "a request went around the distribution in front");
        let detail = "This address is not public. Use the one that the deployment's output ApiUrl has.";
        Err(Problem::new(ProblemType::Forbidden, detail))
    }
}

fn unavailable(fault: Fault) -> Problem {
    warn!(%fault, "the secret of the distribution in front is unavailable");
    Problem::from(&fault)
}

/// What the headers say of the way that a request took.
#[derive(Debug, Default)]
struct Way {
    proof: Option<Vec<u8>>,
    viewer: Option<String>,
}

impl Way {
    /// Takes it from the headers.
    fn of(headers: &mut HeaderMap) -> Self {
        let mut proofs = headers.get_all(PROOF).iter();
        let proof = proofs.next().filter(|_| proofs.next().is_none()).map(|value| value.as_bytes().to_vec());
        let viewer = headers.get(VIEWER).and_then(|value| address(value.to_str().ok()?));
        headers.remove(PROOF);
        headers.remove(VIEWER);
        Self { proof, viewer }
    }
}

/// The address of `192.0.2.1:443`, `2001:db8::1:443` or `[2001:db8::1]:443`: CloudFront writes the second for IPv6.
fn address(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.parse::<IpAddr>().ok().map(|address| address.to_string())
}

/// The secret that the distribution sends along, and the one before, which counts until the distribution has the new one.
#[derive(Debug)]
pub struct FrontSecret(Vec<Secret>);

impl FrontSecret {
    /// Reads `{"current": ..., "former": ...}`.
    pub fn from_json(text: &str) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Stored {
            current: String,
            #[serde(default)]
            former: String,
        }
        let wrong = || {
            let detail =
                "the secret of the distribution in front is not a JSON object with `current`, of 32 bytes or more";
            Fault::failed(detail)
        };
        let Stored { current, former } = serde_json::from_str(text).map_err(|_| wrong())?;
        if current.len() < SHORTEST {
            return Err(wrong());
        }
        // A former one that there never was proves nothing.
        let counting = [current, former].into_iter().filter(|text| text.len() >= SHORTEST);
        Ok(Self(counting.map(Secret::new).collect()))
    }

    fn proves(&self, way: &Way) -> bool {
        way.proof.as_ref().is_some_and(|proof| self.0.iter().any(|secret| equal(secret.expose(), proof)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const CURRENT: &str = "0123456789abcdef0123456789abcdef";
    const FORMER: &str = "fedcba9876543210fedcba9876543210";

    fn way(proofs: &[&str], viewer: Option<&str>) -> (Way, HeaderMap) {
        let mut headers = HeaderMap::new();
        for proof in proofs {
            headers.append(PROOF, HeaderValue::from_str(proof).unwrap());
        }
        if let Some(viewer) = viewer {
            headers.insert(VIEWER, HeaderValue::from_str(viewer).unwrap());
        }
        (Way::of(&mut headers), headers)
    }

    #[test]
    fn only_the_secret_proves_that_a_request_came_through_the_front_and_it_goes_no_further() {
        let both = FrontSecret::from_json(&format!(r#"{{"current":"{CURRENT}","former":"{FORMER}"}}"#)).unwrap();
        let one = FrontSecret::from_json(&format!(r#"{{"current":"{CURRENT}","former":""}}"#)).unwrap();
        for (proofs, by_both, by_one) in [
            (&[CURRENT][..], true, true),
            (&[FORMER], true, false),
            (&[], false, false),
            (&[""], false, false),
            (&[&CURRENT[1..]], false, false),
            (&[&CURRENT.to_uppercase()], false, false),
            (&[CURRENT, CURRENT], false, false),
            (&[&format!("{CURRENT},{CURRENT}")], false, false),
        ] {
            let (way, left) = way(proofs, None);
            assert_eq!((both.proves(&way), one.proves(&way)), (by_both, by_one), "{proofs:?}");
            assert!(left.is_empty(), "{left:?}");
        }
    }

    #[test]
    fn a_secret_too_short_to_prove_anything_is_refused_without_being_told() {
        for text in ["", "{}", "pasted", r#"{"current":"pasted"}"#, r#"{"current":["pasted"]}"#] {
            let fault = FrontSecret::from_json(text).unwrap_err().to_string();
            assert!(!fault.contains("pasted"), "{fault}");
        }
    }

    #[test]
    fn the_senders_address_is_read_as_cloudfront_writes_it() {
        for (text, expected) in [
            ("198.51.100.10:46532", Some("198.51.100.10")),
            ("2001:db8::10:46532", Some("2001:db8::10")),
            ("[2001:db8::10]:46532", Some("2001:db8::10")),
            ("198.51.100.10", None),
            ("198.51.100.10:", None),
            ("shop.example:443", None),
            ("", None),
        ] {
            assert_eq!(way(&[CURRENT], Some(text)).0.viewer.as_deref(), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn with_nothing_in_front_the_api_itself_says_who_asks() {
        let mut headers = way(&[], None).1;
        headers.insert(VIEWER, HeaderValue::from_static("203.0.113.1:1"));
        assert_eq!(Front(None).admit(&mut headers, "192.0.2.10".into()).await, Ok("192.0.2.10".into()));
    }
}
