//! Server-sent events, read by hand.

/// An event, whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Event {
    pub id: String,
    pub channel: String,
    pub data: String,
}

/// Cuts a stream of bytes into events; an event whose end has not come is none.
#[derive(Default)]
pub struct Events {
    bytes: Vec<u8>,
}

impl Events {
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.bytes.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
            events.push(event(std::str::from_utf8(&block).expect("events are UTF-8")));
        }
        events
    }
}

fn event(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        // Without a name it is a comment, the heartbeat.
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => event.id = value.to_owned(),
            "event" => event.channel = value.to_owned(),
            "data" => event.data.push_str(value),
            _ => assert!(matches!(name, "" | "retry"), "{line:?} is no line of an event"),
        }
    }
    event
}

#[test]
fn an_event_comes_whole_or_not_at_all() {
    let mut events = Events::default();
    assert_eq!(events.take(b": heartbeat\n\nid: 1\nevent: a\nda").last(), Some(&Event::default()));
    let told = Event { id: "1".into(), channel: "a".into(), data: "{}".into() };
    assert_eq!(events.take(b"ta: {}\n\nid: 2\n"), [told]);
}
