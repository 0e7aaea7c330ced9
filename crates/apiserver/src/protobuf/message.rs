//! Turns one message into the object that `json.Marshal` would have written of its struct.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::form;
use super::table::{Field, Form, Message, Rule, Shape, Table, Wire};
use super::wire::{Reader, WireType};
use super::{MAX_DEPTH, Undecodable};

/// How much may come out of one body, in units of about 32 bytes: 128 MiB.
///
/// Two bytes are enough for an object with a dozen fields of zeros, so that the length of the body
/// bounds nothing by itself.
const BUDGET: usize = 4 << 20;

/// What an object costs beside its fields: the memory of its first node.
const OBJECT: usize = 20;

/// Reads the messages of one body.
pub(super) struct Decoder {
    table: &'static Table,
    left: usize,
}

impl Decoder {
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            table,
            left: BUDGET,
        }
    }

    /// Reads a message into an object, which holds what an earlier occurrence of the field said.
    ///
    /// `depth` is that of the object, 1 at the top.
    pub(super) fn read(
        &mut self,
        message: usize,
        data: &[u8],
        object: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), Undecodable> {
        if depth > MAX_DEPTH {
            return Err(Undecodable::new("exceeded max depth"));
        }
        let message = self.table.message(message);
        let mut reader = Reader::new(data);
        while let Some((number, wire)) = reader.tag(message.name)? {
            match message.field(number) {
                None => reader.skip(wire)?,
                Some(field) => match field.shape {
                    Shape::One => self.one(field, wire, &mut reader, object, depth)?,
                    Shape::List => self.list(field, wire, &mut reader, object, depth)?,
                    Shape::Map => self.map(field, wire, &mut reader, object, depth)?,
                },
            }
        }
        self.fill(message, object)
    }

    fn charge(&mut self, units: usize) -> Result<(), Undecodable> {
        self.left = self
            .left
            .checked_sub(units)
            .ok_or_else(Undecodable::too_large)?;
        Ok(())
    }

    /// Adds the fields that the JSON form always has.
    fn fill(
        &mut self,
        message: &Message,
        object: &mut Map<String, Value>,
    ) -> Result<(), Undecodable> {
        for &place in &message.always {
            let field = &message.fields[place];
            if let (true, Wire::Message(of)) = (field.inline, field.wire) {
                self.fill(self.table.message(of), object)?;
            } else if !object.contains_key(field.name) {
                let value = match field.rule {
                    Rule::Zero => self.zero(field.wire)?,
                    _ => Value::Null,
                };
                self.charge(1)?;
                object.insert(field.name.to_owned(), value);
            }
        }
        Ok(())
    }

    /// The JSON form of a value that was never set.
    fn zero(&mut self, wire: Wire) -> Result<Value, Undecodable> {
        let Wire::Message(of) = wire else {
            return Ok(match wire {
                Wire::Text | Wire::Bytes => Value::String(String::new()),
                Wire::Bool => Value::Bool(false),
                _ => Value::Number(0.into()),
            });
        };
        let message = self.table.message(of);
        if message.form != Form::Struct {
            return Ok(form::zero(message.form));
        }
        self.charge(OBJECT)?;
        let mut object = Map::new();
        self.fill(message, &mut object)?;
        Ok(Value::Object(object))
    }

    fn one(
        &mut self,
        field: &Field,
        wire: WireType,
        reader: &mut Reader<'_>,
        object: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), Undecodable> {
        if let Wire::Message(of) = field.wire
            && self.table.message(of).form == Form::Struct
        {
            let data = expect_bytes(field, wire, reader)?;
            if field.inline {
                return self.read(of, data, object, depth);
            }
            // A field that occurs twice is merged.
            if let Some(Value::Object(inner)) = object.get_mut(field.name) {
                return self.read(of, data, inner, depth + 1);
            }
            let inner = self.object(of, data, depth + 1)?;
            object.insert(field.name.to_owned(), inner);
            return Ok(());
        }
        let value = self.value(field, wire, reader, depth + 1)?;
        if field.rule == Rule::AbsentIfZero && is_zero(&value) {
            object.remove(field.name);
        } else {
            object.insert(field.name.to_owned(), value);
        }
        Ok(())
    }

    fn list(
        &mut self,
        field: &Field,
        wire: WireType,
        reader: &mut Reader<'_>,
        object: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), Undecodable> {
        let packed = wire == WireType::Bytes
            && matches!(
                field.wire,
                Wire::Int32 | Wire::Int64 | Wire::Bool | Wire::Double
            );
        let mut values = Vec::new();
        if packed {
            let mut inner = Reader::new(reader.bytes()?);
            let wire = match field.wire {
                Wire::Double => WireType::Fixed64,
                _ => WireType::Varint,
            };
            while !inner.is_empty() {
                values.push(self.value(field, wire, &mut inner, depth + 2)?);
            }
        } else {
            let value = self.value(field, wire, reader, depth + 2)?;
            // The usual case, without the list in between.
            if let Some(Value::Array(list)) = object.get_mut(field.name) {
                list.push(value);
                return Ok(());
            }
            values.push(value);
        }
        match object.get_mut(field.name) {
            Some(Value::Array(list)) => list.append(&mut values),
            _ => {
                object.insert(field.name.to_owned(), Value::Array(values));
            }
        }
        Ok(())
    }

    fn map(
        &mut self,
        field: &Field,
        wire: WireType,
        reader: &mut Reader<'_>,
        object: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), Undecodable> {
        let mut entry = Reader::new(expect_bytes(field, wire, reader)?);
        let mut key = String::new();
        let mut value = None;
        while let Some((number, wire)) = entry.tag(field.name)? {
            match number {
                1 if wire == WireType::Bytes => key = entry.text()?,
                1 => return Err(wire.wrong(field.name)),
                2 => value = Some(self.value(field, wire, &mut entry, depth + 2)?),
                _ => entry.skip(wire)?,
            }
        }
        let mut value = match value {
            Some(value) => value,
            None => self.zero(field.wire)?,
        };
        // In a map, upstream makes a list before it reads its items.
        if value.is_null()
            && let Wire::Message(of) = field.wire
            && self.table.message(of).form == Form::List
        {
            value = Value::Array(Vec::new());
        }
        if let Some(Value::Object(map)) = object.get_mut(field.name) {
            map.insert(key, value);
        } else {
            self.charge(OBJECT)?;
            let map = Map::from_iter([(key, value)]);
            object.insert(field.name.to_owned(), Value::Object(map));
        }
        Ok(())
    }

    /// One value of a field. `depth` is that of the value.
    fn value(
        &mut self,
        field: &Field,
        wire: WireType,
        reader: &mut Reader<'_>,
        depth: usize,
    ) -> Result<Value, Undecodable> {
        self.charge(1)?;
        Ok(match (field.wire, wire) {
            (Wire::Text, WireType::Bytes) => Value::String(reader.text()?),
            #[expect(clippy::cast_possible_truncation, reason = "as upstream")]
            (Wire::Int32, WireType::Varint) => Value::from(reader.varint()? as i32),
            (Wire::Int64, WireType::Varint) => Value::from(reader.varint()?.cast_signed()),
            (Wire::Bool, WireType::Varint) => Value::Bool(reader.varint()? != 0),
            (Wire::Double, WireType::Fixed64) => double(f64::from_le_bytes(reader.fixed64()?))?,
            (Wire::Bytes, WireType::Bytes) => Value::String(STANDARD.encode(reader.bytes()?)),
            (Wire::Message(of), WireType::Bytes) => {
                let data = reader.bytes()?;
                match self.table.message(of).form {
                    Form::Struct => self.object(of, data, depth)?,
                    Form::List
                    | Form::SchemaOrArray
                    | Form::SchemaOrBool
                    | Form::SchemaOrStrings => {
                        let form = self.table.message(of).form;
                        // The object goes away again: what is in it stands in its place.
                        let mut fields = Map::new();
                        self.charge(OBJECT)?;
                        self.read(of, data, &mut fields, depth - 1)?;
                        form::unwrap(form, fields)
                    }
                    form => form::read(form, data, depth)?,
                }
            }
            _ => return Err(wire.wrong(field.name)),
        })
    }

    fn object(&mut self, of: usize, data: &[u8], depth: usize) -> Result<Value, Undecodable> {
        self.charge(OBJECT)?;
        let mut object = Map::new();
        self.read(of, data, &mut object, depth)?;
        Ok(Value::Object(object))
    }
}

fn expect_bytes<'a>(
    field: &Field,
    wire: WireType,
    reader: &mut Reader<'a>,
) -> Result<&'a [u8], Undecodable> {
    match wire {
        WireType::Bytes => reader.bytes(),
        _ => Err(wire.wrong(field.name)),
    }
}

/// Whether `omitempty` leaves a value out; never asked of objects.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// A number as Go writes it: without a fraction where there is none.
fn double(value: f64) -> Result<Value, Undecodable> {
    const WHOLE: f64 = 9_007_199_254_740_992.0; // 2^53
    if value.fract() == 0.0 && value.abs() <= WHOLE && !(value == 0.0 && value.is_sign_negative()) {
        #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
        return Ok(Value::from(value as i64));
    }
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| Undecodable::new(format!("json: unsupported value: {value}")))
}
