//! Turns the errors of the libraries below into ours, by their type, never by their text.
