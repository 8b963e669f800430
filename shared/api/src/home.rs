//! `/`: a page for a browser that says what this is, whether it runs, and where to go next.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use data_encoding::BASE64;
use hooktide_model::signing;

use crate::html;
use crate::state::Api;

/// The page, with places for what is known at run time.
const PAGE: &str = include_str!("home.html");

/// The policy of the page: no script, no request, and no style but its own.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = PAGE.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).unwrap_or_default().0;
    let hash = BASE64.encode(&signing::sha256(&[style.as_bytes()]));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// Serves the page; it needs no token, and says nothing that `/v1/health` does not.
pub(crate) async fn home(State(api): State<Arc<Api>>) -> Response {
    let trouble = api.readiness().trouble(&api).await;
    let status = trouble.map_or(StatusCode::OK, |_| StatusCode::SERVICE_UNAVAILABLE);
    html::page(status, &POLICY, page(trouble))
}

fn page(trouble: Option<&str>) -> String {
    let class = if trouble.is_some() { "trouble" } else { "" };
    PAGE.replace("{{class}}", class)
        .replace("{{state}}", trouble.unwrap_or("Running, and its table can be read"))
        .replace("{{repository}}", env!("CARGO_PKG_REPOSITORY"))
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
        for (trouble, told) in [(None, "Running"), (Some("The table is damaged"), "The table is damaged")] {
            let page = page(trouble);
            assert!(page.contains(told) && !page.contains("{{"), "{page}");
            for loads in ["<script", "<link", "<img", "src=", "@import", "url("] {
                assert!(!page.contains(loads), "{loads}");
            }
        }
        assert!(POLICY.contains("style-src 'sha256-") && POLICY.len() > 120, "{}", *POLICY);
    }
}
