//! The receivers in `infra/template.yaml`: one section for each provider, all made of `receiver.yaml` beside this file.

use std::fs;

use hooktide_flows::settings::api_variable;
use hooktide_providers::Provider;

use super::{check, root};

const TEMPLATE: &str = "infra/template.yaml";

#[test]
fn the_receivers_in_the_template_are_current() {
    let mut text = fs::read_to_string(root().join(TEMPLATE)).expect("the template");
    for (title, of, between) in [
        ("parameters of the receivers", parameters as fn(&dyn Provider) -> String, "\n"),
        ("conditions of the receivers", conditions, ""),
        ("receivers", receiver, "\n"),
        ("outputs of the receivers", outputs, ""),
    ] {
        let sections: Vec<String> = hooktide_providers::ALL.iter().map(|provider| of(*provider)).collect();
        text = with_section(&text, title, &sections.join(between));
    }
    check(TEMPLATE, &text);
}

/// The text with other lines between the markers of that title.
fn with_section(text: &str, title: &str, lines: &str) -> String {
    let (start, end) = (format!("  # >>> generated: {title}\n"), format!("  # <<< generated: {title}\n"));
    let (before, rest) = text.split_once(&start).expect("the marker where it starts");
    let (_, after) = rest.split_once(&end).expect("the marker where it ends");
    format!("{before}{start}{lines}{end}{after}")
}

/// A provider as logical ids have it: `google-calendar` is `GoogleCalendar`.
fn logical(provider: &dyn Provider) -> String {
    let part = |part: &str| part[..1].to_uppercase() + &part[1..];
    provider.id().split('-').map(part).collect()
}

fn parameters(provider: &dyn Provider) -> String {
    let (id, name) = (provider.id(), logical(provider));
    let mut text = format!(
        "  Receive{name}:
    Type: String
    Default: 'true'
    AllowedValues: ['true', 'false']
    Description: Whether there is a receiver of {id}, with its alarms.
"
    );
    if let Some(api) = fetches_keys(provider) {
        text += &format!(
            "
  {name}Api:
    Type: String
    Default: ''
    AllowedPattern: '(https?://[^/?#@ ]+)?'
    Description: Where the keys of signatures of {id} are fetched, such as a sandbox; empty for {api}.
"
        );
    }
    text
}

fn conditions(provider: &dyn Provider) -> String {
    let name = logical(provider);
    format!("  Receives{name}: !Equals [!Ref Receive{name}, 'true']\n")
}

fn receiver(provider: &dyn Provider) -> String {
    let name = logical(provider);
    let (timeout, environment) = match fetches_keys(provider) {
        Some(_) => (
            "      # Longer than the others have: fetching a key may take 5 s.\n      Timeout: 15\n",
            format!(
                "      Environment:\n        Variables:\n          {}: !Ref {name}Api\n",
                api_variable(provider.id())
            ),
        ),
        None => ("      Timeout: 10\n", String::new()),
    };
    include_str!("receiver.yaml")
        .replace("<timeout>", timeout)
        .replace("<environment>", &environment)
        .replace("<id>", provider.id())
        .replace("<Name>", &name)
}

fn outputs(provider: &dyn Provider) -> String {
    let (id, name) = (provider.id(), logical(provider));
    format!(
        "  # >>> outputs of the receiver: {id}
  WebhookUrl{name}:
    Condition: Receives{name}
    Description: Where {id} sends to; the whole address, with its id, is shown with each connection.
    Value: !Sub
      - '${{Url}}/webhooks/{id}/'
      - Url: !If
          - HasDomain
          - !Sub 'https://${{DomainName}}'
          - !If [HasFront, !Sub 'https://${{FrontDistribution.DomainName}}', !GetAtt HttpApi.ApiEndpoint]
  Receiver{name}Function:
    Condition: Receives{name}
    Value: !Ref Receiver{name}
  # <<< outputs of the receiver: {id}
"
    )
}

/// The API that a provider's keys are fetched from, if they are.
fn fetches_keys(provider: &dyn Provider) -> Option<&'static str> {
    provider.api().filter(|api| api.keys().is_some()).and_then(|api| api.base().fixed())
}
