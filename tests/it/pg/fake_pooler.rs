//! As little of the protocol as shows what a transaction-pooling proxy does: every client
//! meets one and the same backend.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Listens until this process ends; its port.
pub(crate) fn start() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || serve(client));
        }
    });
    port
}

/// Ends when the client does.
fn serve(mut client: TcpStream) -> Option<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length).ok()?;
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut startup).ok()?;
    let ready = message(b'Z', b"I");
    client
        .write_all(&[message(b'R', &[0; 4]), ready.clone()].concat())
        .ok()?;
    loop {
        let mut head = [0; 5];
        client.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        client.read_exact(&mut vec![0; length - 4]).ok()?;
        if head[0] == b'Q' {
            let answer = [one_row("4711"), message(b'C', b"SELECT 1\0"), ready.clone()];
            client.write_all(&answer.concat()).ok()?;
        }
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [&[kind], length.as_slice(), body].concat()
}

/// One column of type text, one row.
fn one_row(value: &str) -> Vec<u8> {
    let column = [
        b"pid\0".as_slice(),
        &[0; 6],
        &[0, 0, 0, 25],
        &[255, 255],
        &[255; 4],
        &[0, 0],
    ];
    let description = message(b'T', &[[0, 1].as_slice(), &column.concat()].concat());
    let length = u32::try_from(value.len()).expect("short").to_be_bytes();
    let row = message(
        b'D',
        &[[0, 1].as_slice(), &length, value.as_bytes()].concat(),
    );
    [description, row].concat()
}
