//! Signatures of keys that were made elsewhere and here, and of those that nobody takes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use serde_json::{Value, json};

use super::*;

/// Of `openssl genrsa 2048`, with which `openssl dgst` has signed.
const MODULUS: &str = "6wX3TEKbJyrcQXepLf-tGCxaJXk_yH0flDeamUx21qLMbnbgingrXW3x3bZKfMuej5DRaVDivpAEt8EHVt7JFWOyTNkSFNKO5Y3J\
    N3hdiJqKp6dNkdDuidcXN_v1XyS5-TqciAVrCBQNOcfj6FnxydpaRZB81rQooRbhj6rfykfag7FC7eDrkxRGQs4mVG10NSdGxXGP\
    b7LoKuJyChPuy17m9L4B2VHwf1UFdVkRLsg42GvS-d5IH6aidhdQqr5x3GBBYJnRYwOoafDW2tMzBGU_q2kPhXAwgOloAB0Dcoht\
    2ZXxL8_ZyOliHdB2LnGuCBEbqDQ31J6OaQLFKCuiQw";
const RS256_TEXT: &str = "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInIifQ.e30";
const RS256_SIGNATURE: &str = "Jsqou_JNVsGyUyKPuPiyWQfHA-se8652Eh7J0ZDRAGjSTEYfuYidESOCnMwjxXhLn3Uc-AFXsUbFG60xpz4r3ac8D4aY_oJ3StsJ\
    DPycA3bCYSHICxc6JNXkxwTVnk1zlnZWTijxStejLQy_3WGxFaX0ykJE1Advm-BQG6NtVuRfMdYBBDdRxsjvKiq528e7xj53tKqT\
    7yMycpaD3jETeUlBZlP3xX-pfwMJEXmcITEe7TsvWO1FMYjsvaSlpjfJrc2HT6dkl__By6Jtlkoe0h05tTfHX4-AJrXZtpW1sgL9\
    Ft_qzjou1EdLY4O_XDopVC2ErKkBmrf5r6ihqPtiGw";
const PS384_TEXT: &str = "eyJhbGciOiAiUFMzODQiLCAia2lkIjogInIifQ.e30";
const PS384_SIGNATURE: &str = "kT-_TA3Mu8umEtA8SM7eTVZiQvCdIrkP3PYzdLu2aOquz4knl2SjvO8EvdJKNCBYXod8E3cvWQS3Q9RBEKEdUmmgfwy5WRNuMltf\
    qQQHELkxRrbOk5qWAqJbUaSVvbAPJF5h5bEj9OIVBZsKesrdMo3N_IaGaqt3EDcSTRduxT5UQVJ4iTcoEzGiU0Jd5-CdQU5s2ROm\
    vCIWmZzCAb1ovJxetwtEPvPMhOnBJkOQPqrERKKDJd5dc1AJw5ZKcRKAcf-hsooWt-l5uYgLZpKWG0Nyu56jwrmXF-8drL2Zc5eY\
    vOHrmrvvS_6rRB1TFXaOWqEntF0xeniXmNYQCe8HCg";

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn keys(keys: Value) -> Keys {
    Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn rsa(kid: &str) -> Value {
    json!({"kty": "RSA", "kid": kid, "use": "sig", "n": MODULUS, "e": "AQAB"})
}

#[test]
fn signatures_of_rsa_are_checked() {
    let keys = keys(json!([rsa("other"), rsa("r")]));
    let signature = decoded(RS256_SIGNATURE);
    let verify = |alg: &str, kid: Option<&str>, text: &str, sig: &[u8]| keys.verify(alg, kid, text.as_bytes(), sig);
    assert_eq!(verify("RS256", Some("r"), RS256_TEXT, &signature), Ok(()));
    assert_eq!(verify("RS256", None, RS256_TEXT, &signature), Ok(()));
    assert_eq!(verify("PS384", Some("r"), PS384_TEXT, &decoded(PS384_SIGNATURE)), Ok(()));
    assert_eq!(verify("RS256", Some("r"), PS384_TEXT, &signature), Err(Refused::Signature));
    assert_eq!(verify("RS384", Some("r"), RS256_TEXT, &signature), Err(Refused::Signature));
    assert_eq!(verify("RS256", Some("r"), RS256_TEXT, &[]), Err(Refused::Signature));
    for bit in (0..signature.len() * 8).step_by(97) {
        let mut forged = signature.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(verify("RS256", Some("r"), RS256_TEXT, &forged), Err(Refused::Signature), "bit {bit}");
    }
    assert_eq!(verify("RS256", Some("new"), RS256_TEXT, &signature), Err(Refused::Key));
    // A key that anybody knows is no secret: what HS256 would take for one has signed nothing.
    for alg in ["HS256", "none", "None", "", "RS1", "ES256K"] {
        assert_eq!(verify(alg, Some("r"), RS256_TEXT, &signature), Err(Refused::Algorithm), "{alg}");
    }
    // Not of an algorithm that the key is not for.
    assert_eq!(verify("ES256", Some("r"), RS256_TEXT, &signature), Err(Refused::Key));
}

#[test]
fn a_key_is_for_the_algorithm_that_it_names() {
    let mut only = rsa("r");
    only["alg"] = json!("RS512");
    let keys = keys(json!([only]));
    let refused = keys.verify("RS256", Some("r"), RS256_TEXT.as_bytes(), &decoded(RS256_SIGNATURE));
    assert_eq!(refused, Err(Refused::Signature));
}

#[test]
fn signatures_of_curves_are_checked() {
    let random = SystemRandom::new();
    for (alg, crv, bytes, how) in [
        ("ES256", "P-256", 32, &ECDSA_P256_SHA256_FIXED_SIGNING),
        ("ES384", "P-384", 48, &ECDSA_P384_SHA384_FIXED_SIGNING),
    ] {
        let document = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(how, document.as_ref(), &random).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = (encoded(&point[..bytes]), encoded(&point[bytes..]));
        let keys = keys(json!([{"kty": "EC", "crv": crv, "kid": "c", "x": x, "y": y}]));
        let signature = pair.sign(&random, b"text").unwrap();
        assert_eq!(keys.verify(alg, Some("c"), b"text", signature.as_ref()), Ok(()));
        assert_eq!(keys.verify(alg, Some("c"), b"Text", signature.as_ref()), Err(Refused::Signature));
        assert_eq!(keys.verify("RS256", Some("c"), b"text", signature.as_ref()), Err(Refused::Key));
    }
    let pair = Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap();
    let x = encoded(pair.public_key().as_ref());
    let keys = keys(json!([{"kty": "OKP", "crv": "Ed25519", "x": x}]));
    assert_eq!(keys.verify("EdDSA", None, b"text", pair.sign(b"text").as_ref()), Ok(()));
    // Without a name it may be of a key that is not known yet.
    assert_eq!(keys.verify("EdDSA", None, b"other", pair.sign(b"text").as_ref()), Err(Refused::Key));
}

#[test]
fn keys_that_cannot_sign_here_are_passed_over() {
    let short = encoded(&[1; 31]);
    for useless in [
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        json!({"kty": "RSA", "n": MODULUS, "e": "AQAB", "use": "enc"}),
        json!({"kty": "RSA", "n": "!", "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "x": short, "y": short}),
        json!({"kty": "EC", "crv": "secp256k1", "x": short, "y": short}),
        json!({"kty": "OKP", "crv": "X25519", "x": encoded(&[1; 32])}),
        json!({"kid": "a"}),
        json!("text"),
    ] {
        let set = json!({ "keys": [useless] }).to_string();
        assert!(Keys::read(set.as_bytes()).is_none(), "{set}");
        assert!(Keys::read(json!({ "keys": [useless, rsa("r")] }).to_string().as_bytes()).is_some());
    }
    for bad in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": []}"#] {
        assert!(Keys::read(bad.as_bytes()).is_none(), "{bad}");
    }
}
