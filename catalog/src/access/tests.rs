//! What follows from grants and membership.

use super::*;

fn member(name: &str, member_of: &[&str]) -> Member {
    let is_superuser = name == "root";
    let bypasses_rls = name == "audit";
    Member {
        name: name.to_owned(),
        is_superuser,
        bypasses_rls,
        member_of: member_of.iter().map(|of| (*of).to_owned()).collect(),
    }
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

#[test]
fn a_role_is_bound_by_the_policies_that_are_its_own() {
    let members = [member("ann", &["staff"]), member("staff", &[]), member("audit", &["staff"]), member("root", &[])];
    let on = Name { schema: "s".to_owned(), name: "t".to_owned() };
    let policy = |text: &str| policy_of(text, &[]).unwrap();
    let base = Access::of_grants(&members, Vec::new()).unwrap();
    let names = |access: &Access, role: &str, command| -> Option<(Vec<String>, Vec<String>)> {
        let told = |policies: &[&RowPolicy]| policies.iter().map(|policy| policy.name.clone()).collect();
        let rules = access.rules(role, &on)?;
        Some((told(&rules.permissive(command)), told(&rules.restrictive(command))))
    };
    let access = base.with_policies(
        [
            policy("CREATE POLICY b ON s.t TO staff USING (true)"),
            policy("CREATE POLICY a ON s.t FOR SELECT TO ann USING (true)"),
            policy("CREATE POLICY r ON s.t AS RESTRICTIVE FOR UPDATE USING (true)"),
            policy("CREATE POLICY x ON s.t TO root USING (true)"),
        ],
        [],
    );
    assert_eq!(names(&access, "ann", RowCommand::Select), None, "not enabled");
    let access = access.with_policies([], [(on.clone(), RowSwitch::Enabled(true))]);
    let told = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    assert_eq!(names(&access, "ann", RowCommand::Select), Some((told(&["a", "b"]), told(&[]))));
    assert_eq!(names(&access, "ann", RowCommand::Update), Some((told(&["b"]), told(&["r"]))));
    assert_eq!(names(&access, "nobody", RowCommand::Delete), Some((told(&[]), told(&[]))));
    assert_eq!(names(&access, "root", RowCommand::Select), None);
    assert_eq!(names(&access, "audit", RowCommand::Select), None, "BYPASSRLS");
}
