# Makes the database once, and lets root in with its password; then the server takes over.
set -eu
data=/var/lib/mysql/datadir
if [ ! -d "$data/mysql" ]; then
  mariadb-install-db --datadir="$data" --force --skip-name-resolve --skip-test-db \
    --auth-root-authentication-method=normal >&2
fi
cat >/tmp/init.sql <<SQL
CREATE DATABASE IF NOT EXISTS $MYSQL_DATABASE;
CREATE USER IF NOT EXISTS root@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
ALTER USER root@localhost IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
SQL
exec mariadbd --datadir="$data" --init-file=/tmp/init.sql --bind-address=0.0.0.0 \
  --skip-name-resolve --innodb-buffer-pool-size=64M
