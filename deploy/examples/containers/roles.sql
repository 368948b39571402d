CREATE ROLE "tracker_owner" LOGIN;
CREATE ROLE "tracker_runtime" LOGIN;
GRANT "tracker_runtime" TO "tracker_owner";
CREATE DATABASE "tracker" OWNER "tracker_owner" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE "tracker" FROM PUBLIC;
GRANT CONNECT ON DATABASE "tracker" TO "tracker_runtime";
