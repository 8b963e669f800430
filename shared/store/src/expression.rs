//! DynamoDB expressions, built from typed conditions and updates; both adapters of the table share them.

use std::collections::HashMap;

use crate::ports::{AttributeValue, Condition, PARTITION};

/// The names and values that the expressions of one request refer to.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Expressions {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expressions {
    /// `#n` placeholders and the attribute names they stand for; `None` if there are none.
    pub fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    /// `:n` placeholders and the values they stand for; `None` if there are none.
    pub fn values<V: From<AttributeValue>>(self) -> Option<HashMap<String, V>> {
        (!self.values.is_empty()).then(|| self.values.into_iter().map(|(name, value)| (name, value.into())).collect())
    }

    /// The text of a condition.
    pub fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Absent => format!("attribute_not_exists({})", self.name(PARTITION)),
            Condition::Present => format!("attribute_exists({})", self.name(PARTITION)),
            Condition::Equals(name, value) => format!("{} = {}", self.name(name), self.value(value)),
            Condition::Less(name, value) => format!("{} < {}", self.name(name), self.value(value)),
            Condition::All(all) => self.joined(all, " AND "),
            Condition::Any(any) => self.joined(any, " OR "),
        }
    }

    /// The text of an update.
    pub fn update(&mut self, set: &[(&str, AttributeValue)], add: &[(&str, i64)], remove: &[&str]) -> String {
        let mut clauses = Vec::new();
        let mut clause = |word: &str, parts: Vec<String>| {
            if !parts.is_empty() {
                clauses.push(format!("{word} {}", parts.join(", ")));
            }
        };
        clause("SET", set.iter().map(|(name, value)| format!("{} = {}", self.name(name), self.value(value))).collect());
        clause(
            "ADD",
            add.iter()
                .map(|(name, by)| format!("{} {}", self.name(name), self.value(&AttributeValue::N(by.to_string()))))
                .collect(),
        );
        clause("REMOVE", remove.iter().map(|name| self.name(name)).collect());
        clauses.join(" ")
    }

    fn joined(&mut self, conditions: &[Condition], word: &str) -> String {
        let parts: Vec<String> = conditions.iter().map(|part| format!("({})", self.condition(part))).collect();
        parts.join(word)
    }

    /// Every name goes through a placeholder, since DynamoDB reserves several hundred words.
    pub fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    /// A placeholder for a value.
    pub fn value(&mut self, value: &AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value.clone());
        placeholder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_nest_and_name_everything_by_placeholder() {
        let mut expressions = Expressions::default();
        let text = expressions.condition(&Condition::Any(vec![
            Condition::Absent,
            Condition::All(vec![
                Condition::Equals("rev", AttributeValue::N("3".into())),
                Condition::Less("lease_until", AttributeValue::N("9".into())),
            ]),
        ]));
        assert_eq!(text, "(attribute_not_exists(#pk)) OR ((#rev = :0) AND (#lease_until < :1))");
        assert_eq!(expressions.names().map(|names| names.len()), Some(3));
        assert_eq!(expressions.values::<AttributeValue>().map(|values| values.len()), Some(2));
    }

    #[test]
    fn an_update_has_one_clause_for_each_kind_of_change() {
        let mut expressions = Expressions::default();
        let text = expressions.update(&[("a", AttributeValue::Bool(true))], &[("n", 1)], &["z"]);
        assert_eq!(text, "SET #a = :0 ADD #n :1 REMOVE #z");
    }
}
