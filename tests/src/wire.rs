//! A stand-in for an AWS service: gives recorded answers in order, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::emulator::configuration;

/// A recorded answer: its status and its body.
pub type Recorded = (u16, Value);

#[derive(Default)]
struct Tape {
    answers: VecDeque<Recorded>,
    calls: Vec<Call>,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which operation, as `X-Amz-Target` has it.
    pub target: String,
    /// The body.
    pub body: Value,
}

/// The stand-in.
pub struct Wire {
    url: String,
    tape: Arc<Mutex<Tape>>,
}

impl Wire {
    /// A service that gives these answers; after the last of them it answers 599, which fails the test that goes on.
    pub async fn answering(answers: impl IntoIterator<Item = Recorded>) -> Self {
        let tape = Arc::new(Mutex::new(Tape { answers: answers.into_iter().collect(), calls: Vec::new() }));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&tape));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, tape }
    }

    /// For the SDKs' clients, which send everything once.
    pub async fn configuration(&self) -> SdkConfig {
        configuration(&self.url).await.into_builder().retry_config(RetryConfig::disabled()).build()
    }

    /// For the SDKs' clients, as functions use them.
    pub async fn repeating(&self) -> SdkConfig {
        configuration(&self.url).await
    }

    /// What it was asked.
    pub fn calls(&self) -> Vec<Call> {
        self.tape.lock().expect("the tape").calls.clone()
    }

    /// The bodies of what it was asked.
    pub fn bodies(&self) -> Vec<Value> {
        self.calls().into_iter().map(|call| call.body).collect()
    }
}

async fn answer(State(tape): State<Arc<Mutex<Tape>>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut tape = tape.lock().expect("the tape");
    tape.calls.push(Call { target, body });
    let (status, answer) = tape.answers.pop_front().unwrap_or((599, Value::Null));
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
}
