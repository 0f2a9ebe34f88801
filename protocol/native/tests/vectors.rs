//! The published vectors of RFC 9496 and RFC 9497, through the batch functions. The data is in `tests/vectors` of the
//! repository; the Python tests run the same vectors on both back ends.

use serde_json::Value;
use tacit_native::elements::Elements;
use tacit_native::error::Error;
use tacit_native::scalars::{self, Secrets};
use tacit_native::{entry_keys, hashing, hpke, products, sums};

const THREADS: usize = 2;

fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

fn list(value: &Value) -> Vec<Vec<u8>> {
    value.as_array().unwrap().iter().map(unhex).collect()
}

fn secrets(packed: &[u8]) -> Secrets {
    scalars::decode(packed).unwrap()
}

#[test]
fn multiples_of_the_generator_are_those_of_rfc_9496() {
    let multiples = list(&load("rfc9496")["multiples"]);
    let packed: Vec<u8> = (0..multiples.len()).flat_map(|i| [vec![i as u8], vec![0; 31]].concat()).collect();
    assert_eq!(products::multiply_base(&secrets(&packed), THREADS).encode(THREADS), multiples.concat());
}

#[test]
fn invalid_encodings_of_rfc_9496_are_refused() {
    let mut refused = 0;
    for kind in load("rfc9496")["invalid"].as_object().unwrap().values() {
        for encoding in list(kind) {
            assert_eq!(Elements::decode(&encoding, THREADS).err(), Some(Error::NotCanonical { position: 0 }));
            refused += 1;
        }
    }
    assert!(refused > 20);
}

#[test]
fn the_one_way_map_is_that_of_rfc_9496() {
    for case in load("rfc9496")["from_uniform"].as_array().unwrap() {
        let element = hashing::map_to_group(&unhex(&case["uniform"])).unwrap();
        assert_eq!(element.encode(1), unhex(&case["element"]));
    }
}

#[test]
fn blinding_evaluation_and_output_are_those_of_rfc_9497() {
    let mut vectors = 0;
    for suite in load("rfc9497")["suites"].as_array().unwrap() {
        let mode = u8::try_from(suite["mode"].as_u64().unwrap()).unwrap();
        let dst = [b"HashToGroup-OPRFV1-".as_slice(), &[mode], b"-ristretto255-SHA512"].concat();
        let key = secrets(&unhex(&suite["key"]));
        for vector in suite["vectors"].as_array().unwrap() {
            let inputs = list(&vector["input"]);
            let blinds = list(&vector["blind"]).concat();
            let hashed = hashing::hash_to_group(&inputs, &dst, THREADS).unwrap();
            let blinded = products::multiply_each(&secrets(&blinds), &hashed, THREADS).unwrap();
            assert_eq!(blinded.encode(THREADS), list(&vector["blinded"]).concat());
            let received = Elements::decode(&blinded.encode(THREADS), THREADS).unwrap();
            let evaluated = products::multiply(&key[0], &received, THREADS);
            assert_eq!(evaluated.encode(THREADS), list(&vector["evaluation"]).concat());
            let one = secrets(&[vec![1], vec![0; 31]].concat());
            let unblinded = sums::unblind(&one, &[&evaluated], secrets(&blinds), THREADS).unwrap();
            let outputs = hashing::finalise(&inputs, &unblinded, THREADS).unwrap();
            assert_eq!(outputs, list(&vector["output"]).concat());
            vectors += inputs.len();
        }
    }
    assert_eq!(vectors, 6); // two in mode OPRF; two and a batch of two in mode VOPRF
}

#[test]
fn tags_and_wrap_keys_are_those_of_step_s1() {
    let vector = load("tacit/sealed_record");
    let mut context = Vec::from(b"tacit/1 entry");
    for part in ["epoch", "stream"] {
        context.push(b'|');
        context.extend(vector[part].as_str().unwrap().bytes());
    }
    context.push(b'|');
    context.extend(unhex(&vector["public_key"]));
    let keys = vector["keys"].as_array().unwrap();
    let joined = |names: &[&str]| -> Vec<u8> {
        keys.iter().flat_map(|key| names.iter().flat_map(|name| unhex(&key[*name]))).collect()
    };
    let derived = entry_keys::entry_keys(&context, &joined(&["output"]), THREADS).unwrap();
    assert_eq!(*derived, joined(&["tag", "wrap"]));
    assert!(keys.len() > 1);
}

#[test]
fn encapsulation_and_key_schedule_are_those_of_rfc_9180() {
    let vector = load("rfc9180");
    let get = |name: &str| unhex(&vector[name]);
    let ephemeral: [u8; 32] = get("ephemeral_private_key").try_into().unwrap();
    let recipient = hpke::Recipient::new(&get("recipient_public_key")).unwrap();
    let made = recipient.encapsulate(&[ephemeral]);
    let (encapsulated, shared_secret) = &made[0];
    assert_eq!(encapsulated.as_slice(), get("encapsulated_key"));
    assert_eq!(shared_secret.as_slice(), get("shared_secret"));
    let (key, nonce) = hpke::Context::new(&get("info")).key_schedule(shared_secret);
    assert_eq!(key.as_slice(), get("key"));
    assert_eq!(nonce.as_slice(), get("base_nonce"));
}
