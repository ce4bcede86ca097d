"""Who is this? Identity, consent and the signed cookie."""
