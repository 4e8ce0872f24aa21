# What Celosia's token may do in Vault or OpenBao, and nothing else. Replace the key's name where it is not celosia-root.
path "transit/keys/celosia-root" {
  capabilities = ["read"]
}
path "transit/keys/celosia-root/rotate" {
  capabilities = ["update"]
}
path "transit/keys/celosia-root/config" {
  capabilities = ["update"]
}
path "transit/keys/celosia-root/trim" {
  capabilities = ["update"]
}
path "transit/encrypt/celosia-root" {
  capabilities = ["update"]
}
path "transit/decrypt/celosia-root" {
  capabilities = ["update"]
}
