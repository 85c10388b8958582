"""Write `grafana/dashboards/*.json`, or check them with `--check`."""

from grafana.build import main

if __name__ == "__main__":
    main()
