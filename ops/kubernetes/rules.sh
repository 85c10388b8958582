#!/usr/bin/env bash
# Print our rules as two PrometheusRules: `bash ops/kubernetes/rules.sh | kubectl apply --filename -`.
set -euo pipefail
cd "$(dirname "$0")/../prometheus"

for kind in rules alerts; do
  printf -- '---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: muster-%s\nspec:\n' "$kind"
  sed 's/^\(.\)/  \1/' "muster.$kind.yml"
done
