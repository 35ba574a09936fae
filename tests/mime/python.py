"""What Python's email package sees in a message, in the words of told.h."""
import email
import email.policy
import hashlib


def leaf_of(path: str, kind: str, name: str, content: bytes) -> dict:
    lines = content.replace(b"\r", b"").rstrip(b"\n")
    return {"path": path, "type": kind, "name": name, "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(), "lines": hashlib.sha256(lines).hexdigest()}


def asked(call, otherwise):
    """Some fields and charsets break it down."""
    try:
        return call()
    except Exception as fault:  # noqa: BLE001
        return otherwise(fault)


def printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def leaf(path: str, part: email.message.EmailMessage) -> dict:
    content = asked(lambda: part.get_payload(decode=True), lambda _: None)
    if content is None:
        payload = part.get_payload()
        content = payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""
    name = asked(part.get_filename, lambda fault: f"!{type(fault).__name__}") or ""
    told = leaf_of(path, part.get_content_type(), printable(name), content)
    if part.get_content_maintype() == "text":
        told["text"] = asked(lambda: printable(part.get_content()), lambda fault: f"!{type(fault).__name__}")
    return told


def within(path: str, message: email.message.EmailMessage) -> list[dict]:
    """A message: its only part is PATH.1, those of a multipart are PATH.1, PATH.2 and so on."""
    return walk(path if message.is_multipart() and message.get_content_maintype() == "multipart"
                else f"{path}.1" if path else "1", message)


def walk(path: str, part: email.message.EmailMessage) -> list[dict]:
    if not part.is_multipart():
        return [leaf(path, part)]
    # A message/delivery-status has one "part" for each paragraph; message/rfc822 has the message.
    if part.get_content_type() == "message/delivery-status":
        blocks = [leaf_of(f"{path}.{i}", "message/delivery-status", "", asked(block.as_bytes, lambda _: b""))
                  for i, block in enumerate(part.get_payload(), 1)]
        return blocks
    if part.get_content_maintype() == "message":
        return within(path, part.get_payload(0))
    found = []
    for i, child in enumerate(part.get_payload(), 1):
        found += walk(f"{path}.{i}" if path else str(i), child)
    return found


def leaves(message: bytes) -> list[dict]:
    return within("", email.message_from_bytes(message, policy=email.policy.default))
