//! The messages, read once from `data/protobuf.txt`. The head of that file says what its lines mean.

use std::collections::HashMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../data/protobuf.txt");

/// Kinds that upstream registers in every group and version.
const EVERYWHERE: [&str; 6] = [
    "CreateOptions",
    "DeleteOptions",
    "GetOptions",
    "ListOptions",
    "PatchOptions",
    "UpdateOptions",
];

/// Kinds of meta/v1 that belong to no group ("unversioned").
const WITHOUT_GROUP: [&str; 5] = [
    "APIGroup",
    "APIGroupList",
    "APIResourceList",
    "APIVersions",
    "Status",
];

/// All messages.
pub(super) struct Table {
    messages: Vec<Message>,
    kinds: HashMap<(&'static str, &'static str), usize>,
}

/// One message.
pub(super) struct Message {
    /// The name without its package, for errors.
    pub(super) name: &'static str,
    /// What it is in JSON.
    pub(super) form: Form,
    /// The fields by number.
    pub(super) fields: Vec<Field>,
    /// Those fields that the JSON form always has, by their place.
    pub(super) always: Vec<usize>,
}

/// What a message is in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An object of its fields.
    Struct,
    /// The list that is its only field.
    List,
    /// The JSON text that is its only field.
    Raw,
    /// A point in time of seconds.
    Time,
    /// A point in time of microseconds.
    MicroTime,
    /// A quantity, as text.
    Quantity,
    /// A number or text.
    IntOrString,
    /// A schema or a list of them.
    SchemaOrArray,
    /// A schema or true or false.
    SchemaOrBool,
    /// A schema or a list of names.
    SchemaOrStrings,
}

/// One field.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) number: u32,
    /// The name in JSON.
    pub(super) name: &'static str,
    /// Whether its fields stand in the message around it.
    pub(super) inline: bool,
    pub(super) rule: Rule,
    pub(super) shape: Shape,
    pub(super) wire: Wire,
}

/// What the JSON form has where the wire has nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing.
    Absent,
    /// Nothing, and nothing either where the wire has the zero value.
    AbsentIfZero,
    /// `null`.
    Null,
    /// The zero value.
    Zero,
}

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    List,
    Map,
}

/// What one value is on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Text,
    Int32,
    Int64,
    Bool,
    Double,
    Bytes,
    /// A message, by its place in the table.
    Message(usize),
}

impl Message {
    /// The field of that number.
    pub(super) fn field(&self, number: u32) -> Option<&Field> {
        // Most messages number their fields without gaps.
        let guess = (number as usize).wrapping_sub(1);
        match self.fields.get(guess) {
            Some(field) if field.number == number => Some(field),
            _ => {
                let place = self.fields.binary_search_by_key(&number, |f| f.number);
                place.ok().map(|place| &self.fields[place])
            }
        }
    }
}

impl Table {
    /// The table, which is read at the first use.
    pub(super) fn get() -> &'static Self {
        static TABLE: LazyLock<Table> =
            LazyLock::new(|| read(TEXT).expect("the generator writes what is read here"));
        &TABLE
    }

    /// The message at that place.
    pub(super) fn message(&self, place: usize) -> &Message {
        &self.messages[place]
    }

    /// The place of the message of a kind.
    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<usize> {
        let meta =
            EVERYWHERE.contains(&kind) || (api_version == "v1" && WITHOUT_GROUP.contains(&kind));
        let api_version = if meta { "meta.k8s.io/v1" } else { api_version };
        self.kinds.get(&(api_version, kind)).copied()
    }
}

/// Reads the lines twice: first the names, since messages refer to later ones.
fn read(text: &'static str) -> Option<Table> {
    let mut places = HashMap::new();
    let mut package = "";
    for line in text.lines() {
        let mut words = line.split(' ');
        match words.next() {
            Some("package") => package = words.next()?,
            Some("message") => {
                let place = places.len();
                places.insert((package, words.next()?), place);
            }
            _ => {}
        }
    }
    let mut table = Table {
        messages: Vec::with_capacity(places.len()),
        kinds: HashMap::new(),
    };
    let mut api_version = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        match words.next()? {
            "package" => {
                package = words.next()?;
                api_version = words.next();
            }
            "message" => {
                let name = words.next()?;
                let mut form = words.next();
                if form == Some("kind") {
                    form = words.next();
                    table
                        .kinds
                        .insert((api_version?, name), table.messages.len());
                }
                table.messages.push(Message {
                    name,
                    form: read_form(form)?,
                    fields: Vec::new(),
                    always: Vec::new(),
                });
            }
            number => {
                let message = table.messages.last_mut()?;
                let name = words.next()?;
                let [rule, shape, wire] = *words.next()?.as_bytes() else {
                    return None;
                };
                let of = words.next().map(|of| match of.rsplit_once('.') {
                    Some((package, name)) => places.get(&(package, name)),
                    None => places.get(&(package, of)),
                });
                let field = Field {
                    number: number.parse().ok()?,
                    name,
                    inline: name == "-",
                    rule: read_rule(rule)?,
                    shape: read_shape(shape)?,
                    wire: read_wire(wire, of.flatten().copied())?,
                };
                if matches!(field.rule, Rule::Null | Rule::Zero) {
                    message.always.push(message.fields.len());
                }
                message.fields.push(field);
            }
        }
    }
    Some(table)
}

fn read_form(word: Option<&str>) -> Option<Form> {
    Some(match word {
        None => Form::Struct,
        Some("list") => Form::List,
        Some("raw") => Form::Raw,
        Some("time") => Form::Time,
        Some("microtime") => Form::MicroTime,
        Some("quantity") => Form::Quantity,
        Some("intorstring") => Form::IntOrString,
        Some("orarray") => Form::SchemaOrArray,
        Some("orbool") => Form::SchemaOrBool,
        Some("orstrings") => Form::SchemaOrStrings,
        Some(_) => return None,
    })
}

fn read_rule(letter: u8) -> Option<Rule> {
    Some(match letter {
        b'o' => Rule::Absent,
        b'e' => Rule::AbsentIfZero,
        b'n' => Rule::Null,
        b'z' => Rule::Zero,
        _ => return None,
    })
}

fn read_shape(letter: u8) -> Option<Shape> {
    Some(match letter {
        b'1' => Shape::One,
        b'*' => Shape::List,
        b'%' => Shape::Map,
        _ => return None,
    })
}

fn read_wire(letter: u8, of: Option<usize>) -> Option<Wire> {
    Some(match letter {
        b's' => Wire::Text,
        b'i' => Wire::Int32,
        b'l' => Wire::Int64,
        b'b' => Wire::Bool,
        b'd' => Wire::Double,
        b'y' => Wire::Bytes,
        b'm' => Wire::Message(of?),
        _ => return None,
    })
}
