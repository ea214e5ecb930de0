"""``python -m face_af_sim.demo``; Ctrl-C is quiet from the first import on."""

import sys

if __name__ == "__main__":
    try:
        from .cli import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except ImportError as error:
        # an extension module that is just being imported makes this of Ctrl-C
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        sys.exit(130)
