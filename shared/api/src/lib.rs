//! The HTTP API: management, reads and the feed. One router, served alike by Lambda and by the local host.

mod access;
mod answer;
mod bounds;
mod claim;
mod consent_state;
mod etag;
mod feed;
mod feed_token;
mod home;
mod html;
mod idempotency;
mod limits;
mod paging;
mod question;
mod readiness;
mod readings;
mod routes;
mod signed;
mod state;
mod streams;
mod warm;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use percent_encoding::percent_decode_str;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes as of;

pub use self::state::{Api, Load, Options};
pub use self::warm::warm;
use crate::answer::Refused;

/// The longest part of a path, in bytes: less than the longest key of a record.
const LONGEST_PART: usize = 800;

#[derive(OpenApi)]
#[openapi(
    info(title = "Hooktide", description = "Webhook-first sync: management, reads and the feed of changes."),
    modifiers(&Bearer),
    security(("token" = [])),
    components(schemas(Problem)),
)]
struct Document;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("hk_<id>_<secret>").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Says of every operation that its errors are problems (RFC 9457).
fn with_problems(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem = ResponseBuilder::new().description("What is wrong, and what to do.");
    let problem = problem.content(hooktide_model::problem::MEDIA_TYPE, content).build();
    // The router's way of writing a parameter that takes the rest of a path is none of OpenAPI's.
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.responses.responses.insert("default".into(), problem.clone().into());
        }
    }
    document
}

fn described() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(of!(routes::health::health))
        .routes(of!(routes::connections::list::list, routes::connections::create::create))
        .routes(of!(
            routes::connections::show::show,
            routes::connections::change::change,
            routes::connections::delete::delete
        ))
        .routes(of!(routes::connections::authorize::authorize))
        .routes(of!(routes::secrets::add::add_to_connection))
        .routes(of!(routes::secrets::remove::remove_from_connection))
        .routes(of!(routes::sync::show::show, routes::sync::change::change))
        .routes(of!(routes::sync::run::run))
        .routes(of!(routes::sync::test::test))
        .routes(of!(routes::sync::mode::show, routes::sync::mode::switch))
        .routes(of!(routes::calendars::list::list))
        .routes(of!(routes::calendars::choose::choose))
        .routes(of!(routes::calendars::choose::choose_named))
        .routes(of!(routes::busy::list::list))
        .routes(of!(routes::busy::plan::plan))
        .routes(of!(routes::busy::remove::remove))
        .routes(of!(routes::transactions::list::list))
        .routes(of!(routes::transactions::show::show))
        .routes(of!(routes::accounts::list::list))
        .routes(of!(routes::accounts::show::show))
        .routes(of!(routes::analytics::read::read))
        .routes(of!(routes::analytics::rebuild::show, routes::analytics::rebuild::rebuild))
        .routes(of!(routes::status::status))
        .routes(of!(routes::queues::list))
        .routes(of!(routes::resources::list))
        .routes(of!(routes::subscriptions::list::list))
        .routes(of!(routes::subscriptions::enable::enable))
        .routes(of!(routes::endpoints::list::list, routes::endpoints::create::create))
        .routes(of!(
            routes::endpoints::show::show,
            routes::endpoints::change::change,
            routes::endpoints::delete::delete
        ))
        .routes(of!(routes::claims::claim))
        .routes(of!(routes::claims::release))
        .routes(of!(routes::secrets::add::add_to_endpoint))
        .routes(of!(routes::secrets::remove::remove_from_endpoint))
        .routes(of!(routes::tokens::list, routes::tokens::create))
        .routes(of!(routes::tokens::revoke))
        .routes(of!(routes::changes::changes))
        .routes(of!(routes::events::events))
        .routes(of!(routes::activity::activity))
        .routes(of!(routes::feed_tokens::create))
        .routes(of!(routes::dead_letters::list::list))
        .routes(of!(routes::dead_letters::show::show, routes::dead_letters::discard::discard))
        .routes(of!(routes::dead_letters::replay::replay))
        .routes(of!(routes::privacy::list))
        .routes(of!(routes::waiting::list::list))
        .routes(of!(routes::webhooks::show))
        .routes(of!(routes::test_tools::echo))
        .routes(of!(routes::test_tools::unsigned))
        .routes(of!(routes::samples::sample))
}

/// The API's own description.
pub fn openapi() -> utoipa::openapi::OpenApi {
    with_problems(described().into_openapi())
}

/// All routes of the API.
pub fn router(api: Arc<Api>) -> Router {
    let (router, document) = described().split_for_parts();
    let document = Arc::new(with_problems(document));
    router
        .route("/", get(home::home))
        .route("/oauth/callback/{provider}", get(routes::oauth::callback))
        .route("/v1/openapi.json", get(move || async move { axum::Json((*document).clone()) }))
        .fallback(|| async { refused(ProblemType::NotFound, "There is nothing at this path; see /v1/openapi.json.") })
        .method_not_allowed_fallback(|| async {
            refused(ProblemType::MethodNotAllowed, "This path does not take this method; see /v1/openapi.json.")
        })
        .layer(from_fn(bounded_path))
        .layer(cors(&api.options().origins))
        .with_state(api)
}

/// Answers that nothing is there where a part of the path is longer than anything that is stored can be called, or is no text.
async fn bounded_path(request: Request, next: Next) -> Response {
    if percent_decode_str(request.uri().path()).decode_utf8().is_err() {
        return refused(ProblemType::BadRequest, "The path is not UTF-8, percent-encoded.");
    }
    if request.uri().path().split('/').any(|part| part.len() > LONGEST_PART) {
        return refused(ProblemType::NotFound, "There is nothing of so long a name.");
    }
    next.run(request).await
}

fn refused(kind: ProblemType, detail: &str) -> Response {
    Refused::new(kind, detail).into_response()
}

fn cors(origins: &[String]) -> CorsLayer {
    let listed = || AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse::<HeaderValue>().ok()));
    // Tokens come in a header and no cookie counts, so any page may be let in where the operator says so.
    let allowed = if origins.iter().any(|origin| origin == "*") { AllowOrigin::any() } else { listed() };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static(access::TENANT),
        ])
        .expose_headers([header::ETAG])
}
