# on-terminal.py stopped|unread DESCRIPTORS BETWEEN COMMAND...: runs COMMAND with
# the DESCRIPTORS ("02") on a terminal that shows nothing: stopped by Ctrl-S, or
# with nobody who reads what it has. Then the shell command BETWEEN, then SIGTERM;
# prints how COMMAND ended.
import os
import pty
import subprocess
import sys

how, descriptors, between, *command = sys.argv[1:]
master, slave = pty.openpty()
os.fchmod(slave, 0o600)
streams = {name: slave for fd, name in enumerate(("stdin", "stdout", "stderr"))
           if str(fd) in descriptors}
if how == "stopped":
    os.write(master, b"\x13")
tool = subprocess.Popen(command, **streams)
try:
    subprocess.run(["sh", "-c", between], check=True)
    tool.terminate()
    print(tool.wait(timeout=20))
finally:
    tool.kill()
