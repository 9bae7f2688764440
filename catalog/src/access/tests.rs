//! What follows from grants and membership.

use super::*;

fn member(name: &str, member_of: &[&str]) -> Member {
    let is_superuser = name == "root";
    Member { name: name.to_owned(), is_superuser, member_of: member_of.iter().map(|of| (*of).to_owned()).collect() }
}

fn grant(grantee: &str, privileges: &[Privilege], on: Granted, columns: &[&str]) -> Grant {
    let grantee = if grantee == "PUBLIC" { Grantee::Public } else { Grantee::Role(grantee.to_owned()) };
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Grant { grantee, privileges: privileges.iter().copied().collect(), on, columns }
}

fn name(schema: &str, name: &str) -> Name {
    Name { schema: schema.to_owned(), name: name.to_owned() }
}

fn access() -> Access {
    let members = [
        member("ann", &["team"]),
        member("team", &["staff"]),
        member("staff", &[]),
        member("root", &[]),
        member("bob", &[]),
    ];
    let grants = vec![
        grant("staff", &[Privilege::Usage], Granted::Schema("s".into()), &[]),
        grant("team", &[Privilege::Select, Privilege::Insert], Granted::Relation(name("s", "t")), &[]),
        grant("bob", &[Privilege::Select], Granted::Relation(name("s", "t")), &["a"]),
        grant("PUBLIC", &[Privilege::Select], Granted::AllIn("open".into()), &[]),
        grant("PUBLIC", &[Privilege::Usage], Granted::Schema("open".into()), &[]),
    ];
    Access::of_grants(&members, grants).unwrap()
}

#[test]
fn rights_come_from_every_role_that_one_is() {
    let access = access();
    let held = access.on_relation(Some("ann"), &name("s", "t"));
    assert!(held.all.has(Privilege::Select) && held.all.has(Privilege::Insert) && !held.all.has(Privilege::Update));
    assert!(access.on_schema(Some("ann"), "s").has(Privilege::Usage));
    assert!(access.may_look("ann", "s", "t") && !access.may_look("ann", "s", "u"));
    assert_eq!(access.on_relation(Some("staff"), &name("s", "t")), Held::default());
    assert!(access.is_member("ann", "staff") && !access.is_member("staff", "ann") && access.is_member("root", "ann"));
}

#[test]
fn a_relation_without_its_schema_is_nothing_to_look_at() {
    let access = access();
    assert!(access.on_relation(Some("bob"), &name("s", "t")).has_on("a", Privilege::Select));
    assert!(!access.on_relation(Some("bob"), &name("s", "t")).has_on("b", Privilege::Select));
    assert!(!access.may_look("bob", "s", "t"));
}

#[test]
fn what_public_holds_everybody_holds_and_a_superuser_all() {
    let access = access();
    for role in ["bob", "ann", "nobody-declared"] {
        assert!(access.may_look(role, "open", "later") && !access.may_look(role, "closed", "t"), "{role}");
    }
    assert_eq!(access.on_relation(Some("root"), &name("s", "t")).all, Privileges::OF_RELATIONS);
    assert_eq!(access.on_relation(None, &name("s", "t")), Held::default());
    assert!(access.on_schema(Some("bob"), "public").has(Privilege::Usage));
    assert!(!access.on_schema(Some("bob"), "public").has(Privilege::Create));
    assert!(Access::of_everybody().may_look("bob", "s", "t"));
}

#[test]
fn a_circle_of_members_is_refused() {
    let members = [member("a", &["b"]), member("b", &["c"]), member("c", &["a"])];
    assert!(Access::of_members(&members).is_err());
    let circle_beside = [member("x", &["a"]), member("a", &["b"]), member("b", &["a"])];
    assert_eq!(Access::of_members(&circle_beside).unwrap_err(), "a");
}

#[test]
fn privileges_have_the_letters_of_postgresql() {
    assert_eq!(Privileges::OF_RELATIONS.letters(), "arwdDxtm");
    assert_eq!(Privileges::OF_SCHEMAS.letters(), "UC");
    assert_eq!(Privilege::named("truncate"), Some(Privilege::Truncate));
    assert_eq!(Privilege::Maintain.word(), "MAINTAIN");
}
