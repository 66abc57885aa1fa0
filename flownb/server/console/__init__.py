"""The web console: pages behind Jupyter's login, made on the server, with plain forms."""
