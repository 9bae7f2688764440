//! Where a new table is in the lake.
//!
//! Owns: that discovery finds it there by its name. Pure.

use object_store::path::Path;

use super::Fault;
use crate::definition::Name;
use crate::format::delta::folder;

/// The folder of a table of this name.
pub(super) fn folder(name: &Name) -> Result<String, Fault> {
    let key = format!("{}/{}", name.schema, name.name);
    let is_plain = Path::parse(&key).is_ok_and(|path| path.as_ref() == key);
    let is_found = folder::name(&key).is_some_and(|(schema, table)| schema == name.schema && table == name.name);
    if is_plain && is_found && !key.chars().any(char::is_control) {
        return Ok(key);
    }
    let reason = format!("the name \"{}.{}\" cannot be that of a folder in the lake", name.schema, name.name);
    Err(Fault::Name { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_where_discovery_finds_it() {
        let at = |schema: &str, name: &str| folder(&Name { schema: schema.to_owned(), name: name.to_owned() }).ok();
        assert_eq!(at("public", "t").as_deref(), Some("public/t"));
        assert_eq!(at("weather", "Großer Tag").as_deref(), Some("weather/Großer Tag"));
        for (schema, name) in [("public", "_t"), ("public", "a/b"), (".s", "t"), ("public", ".."), ("public", "a\nb")] {
            assert_eq!(at(schema, name), None, "{schema}.{name}");
        }
    }
}
