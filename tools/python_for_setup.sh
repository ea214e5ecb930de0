#!/bin/sh
# What install/local_setup.bash asks for the packages' order. Ctrl-C is ./run's to answer, which waits for this.
trap '' INT
exec "$(dirname "$0")/../.venv/bin/python" -I -S "$@"
