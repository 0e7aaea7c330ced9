#!/bin/sh
# Records the columns in which the genuine server that kubectl speaks to shows the kinds that are shown
# otherwise than by name and time of creation:
#   KUBECONFIG=… ./columns.sh > columns.json
# Wants curl and jq. A Deployment is made and deleted, since a `Scale` is only shown of something.
set -eu
config=$(kubectl config view --raw --minify --output json)
server=$(printf %s "$config" | jq -r '.clusters[0].cluster.server')
keys=$(mktemp -d)
kubectl create deployment columns --namespace default --image none --replicas 0 >&2
trap 'rm -r "$keys"; kubectl delete deployment columns --namespace default >&2' EXIT
for part in client-certificate client-key; do
  data=$(printf %s "$config" | jq -r ".users[0].user[\"$part-data\"] // empty")
  if [ -n "$data" ]; then printf %s "$data" | base64 -d >"$keys/$part"
  else cp "$(printf %s "$config" | jq -r ".users[0].user[\"$part\"]")" "$keys/$part"; fi
done
show() { # key, path
  curl --silent --show-error --fail --insecure --cert "$keys/client-certificate" --key "$keys/client-key" \
    --header 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' "$server$2?limit=1" |
    jq --compact-output --arg key "$1" '{key: $key, columns: .columnDefinitions}'
}
{
  show @default /apis/rbac.authorization.k8s.io/v1/roles
  for kind in configmaps events namespaces persistentvolumeclaims pods secrets serviceaccounts services; do
    show $kind /api/v1/$kind
  done
  for kind in apps/v1/daemonsets apps/v1/deployments apps/v1/replicasets apps/v1/statefulsets batch/v1/jobs \
    coordination.k8s.io/v1/leases events.k8s.io/v1/events rbac.authorization.k8s.io/v1/clusterrolebindings \
    rbac.authorization.k8s.io/v1/rolebindings; do
    show "${kind%%/*}/${kind##*/}" /apis/$kind
  done
  show autoscaling/scales /apis/apps/v1/namespaces/default/deployments/columns/scale
} | jq --slurp --raw-output '
  # Names and ages are described alike everywhere.
  {"@name": .[0].columns[0].description, "@age": .[0].columns[1].description} as $shared
  | def line: to_entries | map("\(.key | tojson): \(.value | tojson)") | "{" + join(", ") + "}";
    def column: .description as $text
      | {name, type, description: (first($shared | to_entries[] | select(.value == $text) | .key) // $text)}
        + (if .format == "" then {} else {format} end) + (if .priority == 0 then {} else {priority} end);
    def columns: "[\n" + (map("  " + (column | line)) | join(",\n")) + "\n ]";
    [" \"@descriptions\": \($shared | line)", (sort_by(.key)[] | " \(.key | tojson): \(.columns | columns)")]
    | "{\n" + join(",\n") + "\n}"'
