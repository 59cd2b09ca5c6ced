//! Reads the fields of a command. Errors name the field and what is expected. They do not repeat values, because they are logged.

use serde_json::Value;

/// A value, and its path in the command, such as `grant.to`.
pub struct Fields {
    path: String,
    value: Value,
}

impl Fields {
    /// Returns the value of the command `name`.
    pub fn new(name: &str, value: Value) -> Self {
        Self { path: name.into(), value }
    }

    /// Returns true for a text.
    pub fn is_text(&self) -> bool {
        self.value.is_string()
    }

    /// Takes the fields of an object, which has no others. A missing one is null.
    ///
    /// # Errors
    /// Returns an error if it is no object, or has other fields.
    pub fn of<const COUNT: usize>(self, names: [&str; COUNT]) -> Result<[Self; COUNT], String> {
        self.named("an object", names)
    }

    /// Like [`Self::of`]. `what` says what the value may be.
    ///
    /// # Errors
    /// Returns an error if it is no object, or has other fields.
    pub fn named<const COUNT: usize>(self, what: &str, names: [&str; COUNT]) -> Result<[Self; COUNT], String> {
        let Value::Object(mut object) = self.value else { return Err(self.expected(what)) };
        let fields = names.map(|name| {
            let value = object.remove(name).unwrap_or_default();
            Self { path: format!("{}.{name}", self.path), value }
        });
        if object.is_empty() { Ok(fields) } else { Err(format!("{}: expected only {}", self.path, names.join(", "))) }
    }

    /// Reads a field that may be missing.
    ///
    /// # Errors
    /// Returns the error of `read`.
    pub fn if_any<T>(self, read: impl FnOnce(Self) -> Result<T, String>) -> Result<Option<T>, String> {
        if self.value.is_null() { Ok(None) } else { read(self).map(Some) }
    }

    /// Returns a text.
    ///
    /// # Errors
    /// Returns an error if it is none.
    pub fn text(self) -> Result<String, String> {
        if let Value::String(text) = self.value { Ok(text) } else { Err(self.expected("a text")) }
    }

    /// Returns a list of texts.
    ///
    /// # Errors
    /// Returns an error if it is none.
    pub fn texts(self) -> Result<Vec<String>, String> {
        let error = self.expected("a list of texts");
        let Value::Array(list) = self.value else { return Err(error) };
        let text = |value| if let Value::String(text) = value { Ok(text) } else { Err(error.clone()) };
        list.into_iter().map(text).collect()
    }

    /// Returns true or false.
    ///
    /// # Errors
    /// Returns an error if it is neither.
    pub fn boolean(self) -> Result<bool, String> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    /// Returns a small number.
    ///
    /// # Errors
    /// Returns an error if it is none.
    pub fn index(self) -> Result<u8, String> {
        let number = self.value.as_u64().and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| self.expected("a whole number from 0 to 255"))
    }

    /// Returns the value that a text names.
    ///
    /// # Errors
    /// Returns an error if it is not one of `names`.
    pub fn one_of<T: Clone>(self, names: &[(&str, T)]) -> Result<T, String> {
        let path = self.path.clone();
        let text = self.text()?;
        let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| value.clone());
        let known = || names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| format!("{path}: expected one of {}", known()))
    }

    fn expected(&self, what: &str) -> String {
        let found = match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        format!("{}: expected {what}, found {found}", self.path)
    }
}
