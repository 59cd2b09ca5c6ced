//! The public keys of the parent nodes that another member's commit brings.
//!
//! A member verifies only those keys of a path whose secrets it can decrypt: the keys above both it and the committer. It takes the
//! others as they are, and must encrypt to them later. Commits are encrypted, and openmls returns a staged commit without its path, so
//! the bytes of the message do not help, and a copy of the tree after the commit costs as much as a join. But a staged commit can be
//! serialised with serde. This serialiser follows one way through its fields, to the changed parent nodes, and touches no other field,
//! above all no secret.

use openmls::prelude::StagedCommit;
use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeStruct, Serializer};
use std::fmt::Error;

/// Returns the keys of all parent nodes that the commit changes and that have one. `None` if they cannot be read.
pub(super) fn path_keys(commit: &StagedCommit) -> Option<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    commit.serialize(Follow { fields: &WAY, keys: &mut keys }).ok()?;
    Some(keys)
}

/// The fields from a staged commit to a parent node's key. Enums, maps and options between them have no name.
const WAY: [&str; 9] =
    ["state", "staged_diff", "staged_diff", "diff", "parent_diff", "node", "encryption_key", "key", KEY];
const KEY: &str = "vec";

/// Serialises the fields of a struct that are still on the way.
struct Follow<'a> {
    fields: &'a [&'static str],
    keys: &'a mut Vec<Vec<u8>>,
}

impl Follow<'_> {
    fn reborrow(&mut self) -> Follow<'_> {
        Follow { fields: self.fields, keys: self.keys }
    }
}

/// Values that are not on the way to a key.
macro_rules! refuse {
    ($($name:ident($($value:ty),*);)*) => {
        $(fn $name(self, $(_: $value),*) -> Result<(), Error> {
            Err(Error::custom("not on the way to a key"))
        })*
    };
}

impl Serializer for Follow<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Error>;

    refuse! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    /// A blank node.
    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Err(Error::custom("a list is on the way to a key"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(Error::custom("a tuple is on the way to a key"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(Error::custom("a tuple is on the way to a key"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error::custom("a tuple is on the way to a key"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::custom("a variant with fields is on the way to a key"))
    }
}

impl SerializeStruct for Follow<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        match self.fields {
            [KEY] if name == KEY => self.keys.push(bytes_of(value).ok_or_else(|| Error::custom("a key is no bytes"))?),
            [next, rest @ ..] if *next == name => return value.serialize(Follow { fields: rest, keys: self.keys }),
            _ => {}
        }
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl SerializeMap for Follow<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, _: &T) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.reborrow())
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

/// Returns the bytes that a value serialises as. They are not secret, and no longer than the commit.
fn bytes_of<T: ?Sized + Serialize>(value: &T) -> Option<Vec<u8>> {
    serde_json::from_slice(&serde_json::to_vec(value).ok()?).ok()
}
