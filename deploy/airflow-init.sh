#!/bin/bash
# Before any Airflow component starts: the login file, so that Airflow never makes and prints one, and the database.
set -euo pipefail
umask 077
mkdir -p "$MYSIMBDP_HOME/airflow" "$MYSIMBDP_HOME/logs/airflow"
# printf is part of the shell: the password is in no process list. `make env` makes it of letters and digits, - and _.
printf '{"admin": "%s"}\n' "$MYSIMBDP_AIRFLOW_PASSWORD" >"$MYSIMBDP_HOME/airflow/passwords.json.new"
mv "$MYSIMBDP_HOME/airflow/passwords.json.new" "$MYSIMBDP_HOME/airflow/passwords.json"
exec airflow db migrate
