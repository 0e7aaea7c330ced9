#!/bin/sh
# Records what the genuine server of $KUBECONFIG answers to each line of cases.jsonl:
#   KUBECONFIG=… ./record.sh > recorded.jsonl
# Wants curl and jq, and a namespace `ways` with its ServiceAccount `default`. Nothing stays of what it
# creates. An object is only created for real where a change of it is recorded (`change`, merged into
# it); all else is a dry run. What chance and time decide is replaced: uids by UID, times of creation
# by NOW, addresses by 10.96.9.9; what nobody asked for of addresses and ports is left out.
set -eu
cd "$(dirname "$0")"
config=$(kubectl config view --raw --minify --output json)
server=$(printf %s "$config" | jq -r '.clusters[0].cluster.server')
keys=$(mktemp -d)
trap 'rm -r "$keys"' EXIT
for part in client-certificate client-key; do
  data=$(printf %s "$config" | jq -r ".users[0].user[\"$part-data\"] // empty")
  if [ -n "$data" ]; then printf %s "$data" | base64 -d >"$keys/$part"
  else cp "$(printf %s "$config" | jq -r ".users[0].user[\"$part\"]")" "$keys/$part"; fi
done
ask() { # method, path; the body from standard input
  curl --silent --insecure --cert "$keys/client-certificate" --key "$keys/client-key" \
    --header 'Content-Type: application/json' --request "$1" --data-binary @- "$server$2"
}
# The rules of `plain` are those of the comment above.
plain='def texts(f): walk(if type == "string" then f else . end);
def plain($object): $object.metadata.creationTimestamp as $now
  | (if $object.kind == "Service" then $object.spec.clusterIP else null end) as $ip
  | texts(gsub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"; "UID")
      | if . == $now then "NOW" elif . == $ip and . != "None" then "10.96.9.9" else . end)
  | if .kind == "Status" then .metadata = {} else
    del(.metadata["uid", "creationTimestamp", "resourceVersion", "managedFields"]) end;'
while IFS= read -r line; do
  path=$(printf %s "$line" | jq -r '(.resource | split("/")) as $r
    | (if $r | length == 2 then "/api/" + $r[0] else "/apis/" + $r[0] + "/" + $r[1] end)
    + (if .cluster then "/" else "/namespaces/ways/" end) + $r[-1]')
  object=$(printf %s "$line" | jq --compact-output .object)
  name=$(printf %s "$object" | jq -r .metadata.name)
  if [ "$(printf %s "$line" | jq 'has("change")')" = false ]; then
    answer=$(printf %s "$object" | ask POST "$path?dryRun=All")
    printf %s "$line" | jq --compact-output --sort-keys --argjson answer "$answer" "$plain"'
      .object.spec as $spec
      | .answer = ($answer | plain($answer) | if .kind == "Service" and .spec then
          (if $spec.clusterIP then . else del(.spec["clusterIP", "clusterIPs"]) end) else . end)'
    continue
  fi
  before=$(printf %s "$object" | ask POST "$path")
  sub=$(printf %s "$line" | jq -r '.subresource // "" | if . == "" then . else "/" + . end')
  tries=0
  while :; do
    sent=$(printf %s "$before" | jq --compact-output --argjson line "$line" '. * $line.change')
    answer=$(printf %s "$sent" | ask PUT "$path/$name$sub?dryRun=All")
    tries=$((tries + 1))
    if [ "$(printf %s "$answer" | jq '.code == 409')" = false ] || [ $tries = 20 ]; then break; fi
    before=$(ask GET "$path/$name" </dev/null)
  done
  echo '{"propagationPolicy":"Background","gracePeriodSeconds":0}' | ask DELETE "$path/$name" >/dev/null
  printf %s "$line" | jq --compact-output --sort-keys --argjson before "$before" \
    --argjson answer "$answer" "$plain"'
      .before = ($before | plain($before)) | .answer = ($answer | plain($before))'
done <cases.jsonl
