//! What `infra/template.yaml` has for each provider: a receiver, made of `receiver.yaml` beside this file, and parameters for
//! other addresses of its API and of its consent.

use std::fs;

use hooktide_flows::settings::{api_variable, oauth_variable};
use hooktide_providers::Provider;

use super::{check, root};

const TEMPLATE: &str = "infra/template.yaml";

#[test]
fn the_sections_of_providers_in_the_template_are_current() {
    let mut text = fs::read_to_string(root().join(TEMPLATE)).expect("the template");
    for (title, of, between) in [
        ("parameters of the receivers", parameters as fn(&dyn Provider) -> String, "\n"),
        ("parameters of the providers", api_parameter, ""),
        ("variables of the providers", api_variables, ""),
        ("conditions of the receivers", conditions, ""),
        ("receivers", receiver, "\n"),
        ("outputs of the receivers", outputs, ""),
    ] {
        let is_received = title.contains("receivers");
        let all = hooktide_providers::ALL.iter().copied();
        let all = all.filter(|provider| provider.webhooks().is_some() || !is_received);
        let sections: Vec<String> = all.map(of).collect();
        text = with_section(&text, title, &sections.join(between));
    }
    check(TEMPLATE, &text);
}

/// The text with other lines between the markers of that title.
fn with_section(text: &str, title: &str, lines: &str) -> String {
    let (start, end) = (format!("# >>> generated: {title}\n"), format!("# <<< generated: {title}\n"));
    let (before, rest) = text.split_once(&start).expect("the marker where it starts");
    let (_, after) = rest.split_once(&end).expect("the marker where it ends");
    let indent = before.rsplit('\n').next().unwrap_or_default();
    format!("{before}{start}{lines}{indent}{end}{after}")
}

/// A provider as logical ids have it: `google-calendar` is `GoogleCalendar`.
fn logical(provider: &dyn Provider) -> String {
    let part = |part: &str| part[..1].to_uppercase() + &part[1..];
    provider.id().split('-').map(part).collect()
}

fn parameters(provider: &dyn Provider) -> String {
    let (id, name) = (provider.id(), logical(provider));
    format!(
        "  Receive{name}:
    Type: String
    Default: 'true'
    AllowedValues: ['true', 'false']
    Description: Whether there is a receiver of {id}, with its alarms.
"
    )
}

fn api_parameter(provider: &dyn Provider) -> String {
    let Some(api) = provider.api() else { return String::new() };
    let (id, name) = (provider.id(), logical(provider));
    let usual = api.base().fixed().unwrap_or("what each connection says");
    let parameter = |what: &str, about: &str| {
        format!(
            "  {name}{what}:
    Type: String
    Default: ''
    AllowedPattern: '(https?://[^/?#@ ]+)?'
    Description: Where {about}.

"
        )
    };
    let api_is = parameter("Api", &format!("the API of {id} is, such as a sandbox; empty for {usual}"));
    let consent = format!("{id} takes consent and gives tokens, such as a sandbox; empty for its own address");
    api_is + &api.oauth().map(|_| parameter("Oauth", &consent)).unwrap_or_default()
}

fn api_variables(provider: &dyn Provider) -> String {
    let Some(api) = provider.api() else { return String::new() };
    let (id, name) = (provider.id(), logical(provider));
    let api_is = format!("        {}: !Ref {name}Api\n", api_variable(id));
    api_is + &api.oauth().map(|_| format!("        {}: !Ref {name}Oauth\n", oauth_variable(id))).unwrap_or_default()
}

fn conditions(provider: &dyn Provider) -> String {
    let name = logical(provider);
    format!("  Receives{name}: !Equals [!Ref Receive{name}, 'true']\n")
}

fn receiver(provider: &dyn Provider) -> String {
    let name = logical(provider);
    let fetches_keys = provider.api().is_some_and(|api| api.keys().is_some());
    let timeout = match fetches_keys {
        true => "      # Longer than the others have: fetching a key may take 5 s.\n      Timeout: 15\n",
        false => "      Timeout: 10\n",
    };
    include_str!("receiver.yaml").replace("<timeout>", timeout).replace("<id>", provider.id()).replace("<Name>", &name)
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
