-- Who may do what, and the database. Run once by a superuser, with psql 15 or newer and two passwords in the environment:
--
--     MUSTER_OWNER_PASSWORD=… MUSTER_REPLICA_PASSWORD=… psql --set ON_ERROR_STOP=1 --file ops/postgres/roles.sql postgres
--
-- `--set database=NAME` chooses another name than `muster`.
--
-- muster_service   what a replica may do: the migrations grant it rights; nobody logs in as it
-- muster_owner     owns database and tables: `muster migrate`, `muster rebuild`, `muster verify`, backups; makes no roles
-- muster_replica   whom `muster serve` logs in as: a member of muster_service, owner of nothing
\getenv owner_password MUSTER_OWNER_PASSWORD
\getenv replica_password MUSTER_REPLICA_PASSWORD
\if :{?database}
\else
    \set database muster
\endif
CREATE ROLE muster_service NOLOGIN;
CREATE ROLE muster_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE muster_replica LOGIN PASSWORD :'replica_password' IN ROLE muster_service;
-- What each connection of a replica asks for, and cannot ask for through a pooler.
ALTER ROLE muster_replica SET role = 'muster_service';
ALTER ROLE muster_replica SET timezone = 'UTC';
ALTER ROLE muster_replica SET default_transaction_isolation = 'read committed';
ALTER ROLE muster_replica SET idle_in_transaction_session_timeout = '2s';
ALTER ROLE muster_replica SET lock_timeout = '2s';
ALTER ROLE muster_replica SET statement_timeout = '5s';
CREATE DATABASE :"database" OWNER muster_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO muster_replica;
