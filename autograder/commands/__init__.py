"""The commands, one module each: `command` in it. Thin, and they import what they need only when they run."""
