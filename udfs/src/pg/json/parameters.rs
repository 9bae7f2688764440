//! Which arguments of the functions are json, jsonb or arrays of texts.
//!
//! Owns: the parameters by which the engine reads literals and refuses other types (42883), for Arrow tells them from
//! texts no more than the functions do.

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    Json,
    Jsonb,
    TextArray,
    /// What the function itself knows.
    Other,
}

/// The parameters of a function of this name, as far as they are special; `None` if it has no special ones.
pub fn parameters(function: &str) -> Option<&'static [Parameter]> {
    use Parameter::{Json, Jsonb, Other, TextArray};
    Some(match function.strip_prefix("lakegate_").unwrap_or(function) {
        "json_object" | "jsonb_object" => &[TextArray, TextArray],
        "jsonb_concat" | "jsonb_contains" | "jsonb_contained" | "jsonb_cmp" => &[Jsonb, Jsonb],
        "json_path" | "json_path_text" => &[Json, TextArray],
        "jsonb_path" | "jsonb_path_text" => &[Jsonb, TextArray],
        "jsonb_exists_any" | "jsonb_exists_all" | "jsonb_delete_path" => &[Jsonb, TextArray],
        "jsonb_set" | "jsonb_insert" => &[Jsonb, TextArray, Jsonb, Other],
        "json_in" | "jsonb_in" | "json_element" | "jsonb_element" | "json_member" | "jsonb_member" => return None,
        "json_list" | "jsonb_list" | "json_items" | "jsonb_items" => return None,
        "json_pairs" | "jsonb_pairs" | "json_known" | "jsonb_known" => return None,
        "json_build_object" | "json_build_array" | "jsonb_build_object" | "jsonb_build_array" => return None,
        name if name.starts_with("jsonb_") => &[Jsonb],
        name if name.starts_with("json_") => &[Json],
        _ => return None,
    })
}
