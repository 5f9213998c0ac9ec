"""Where data may stand in a command that runs other programs. `D` stands for a value of data."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from pathlib import Path

import pytest

from tests.unit.adapters.support import a_call, config
from wfrun.adapters import shell, shell_command
from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.registry import open_service
from wfrun.adapters.shell_injection import Word, find_injection
from wfrun.errors import InvalidError

MARK = "D"


def words_of(line: str) -> list[Word]:
    return [Word(text.partition(MARK)[0], data=MARK in text) for text in shlex.split(line)]


def found(line: str, *, stdin: bool = False) -> int | None:
    return find_injection(words_of(line), stdin=stdin)


REFUSED = """
sh -c D
sh -c 'echo D'
/bin/bash -euo pipefail -c D
bash -c -- 'echo D'
bash -c - 'echo D'
bash -c -e 'echo D'
bash -ce 'echo D'
bash --rcfile /dev/null -c 'echo D'
bash --rcfile D script.sh
bash -o D script.sh
bash +O extglob -c D
bash -- D
bash D
zsh -o errexit -c D
fish -c D
fish -c 'echo $argv' D
python3 -c 'print(D)'
python3 '-cprint(D)'
python3 -Bc 'print(D)'
python3 -W ignore -c 'print(D)'
python3.11 -X utf8 -m D
python3 D
python3 -D
/usr/bin/python3 -u D
pypy3 -c D
perl -e D
perl -lane D
perl -MList::Util -e D
perl -e 'print @ARGV' D
perl -e 'print' -eD
ruby -rjson -e D
ruby -r D tool.rb
node -e D
node --eval=D
node --eval 'f()' D
node -r D tool.js
node -pe D
php -r D
php -d D tool.php
lua -e D
osascript -e 'display dialog "D"'
awk D
awk '{print D}'
awk -v n=1 '{print D}'
awk -f D
gawk -e D
sed D
sed -e s/a/D/
sed -n -e p -e D
pwsh -ExecutionPolicy Bypass -Command D
pwsh -c 'f' D
env D
env sh -c D
env A=1 sh -c D
env -i -u A sh -c D
env -S 'sh -c D'
env '-Ssh -c D'
env --split-string='sh -c D'
env -S 'sh -c' D
sudo D
sudo -u bob sh -c D
sudo -u D sh -c D
sudo --user bob -- sh -c D
sudo -Du bob id
doas -u bob python3 -c D
nice -n 5 sh -c D
nice D
timeout 5 sh -c D
timeout -s KILL 5 D
timeout D sleep 5
timeout --signal=KILL 5 env A=b bash -c D
stdbuf -oL sh -c D
nohup setsid sh -c D
busybox sh -c D
chroot /jail sh -c D
flock file -c D
flock -w 5 file sh -c D
time -f %e sh -c D
xargs sh -c D
xargs -n 1 D
xargs -I {} sh -c 'echo D'
su -c 'echo D'
su bob -c 'echo D'
su - bob -c 'echo D'
su bob D
su --command='echo D' bob
sudo su bob -c D
runuser -u bob -- id D
ssh host D
ssh host 'echo D'
ssh -p 22 host -t sh -lc 'echo D'
ssh D uptime
ssh -o ProxyCommand=D host uptime
ssh host -- id D
sshpass -f file ssh host id D
parallel convert D
watch -n 5 ls D
docker exec web sh -c D
docker exec web python3 -c 'print(D)'
docker exec web python3 -cD
docker exec web env -S D
docker exec web su bob -c D
kubectl exec pod -- bash -ec 'echo D'
find . -exec sh -c D ;
""".strip().splitlines()

ALLOWED = """
echo D
cat -- D
tar -c D
notify --lang python D
git clone node D
docker exec web convert D
sh -c 'echo "$1"' sh D
sh -ec 'echo "$1"' sh -D
bash -c -- 'echo "$1"' bash D
bash -euo pipefail -c 'echo "$1"' bash D
bash --rcfile /dev/null script.sh D
sh script.sh D
sh script.sh -c D
python3 tool.py D
python3 tool.py -e D
python3 -u -W ignore tool.py -c D
python3 -c 'import sys' D
python3 -m tool D
python3 -cpass D
perl tool.pl D
perl -e 'print @ARGV' -- D
perl -lane 'print' -- -eD
perl -MList::Util tool.pl D
ruby -r json tool.rb D
node --require ./setup.js tool.js D
node -e 'f()' -- D
php tool.php D
php -r 'f();' -- D
lua -e 'x=1' tool.lua D
awk '{print $1}' D
awk -v x=D '{print x}'
awk -f tool.awk -- D
sed s/a/b/ D
sed -e s/a/b/ -- D
pwsh -NonInteractive -File tool.ps1 D
env A=D B=b tool D
env -C D tool
env sh -c 'echo "$1"' sh D
env -S 'python3 -u' tool.py D
sudo -u D id
sudo -u bob tool D
timeout 5 tool D
timeout -- D tool
timeout -s KILL -k 5 5 sh -c 'echo "$1"' sh D
nice -n D tool
chroot /jails/D tool
flock /locks/D tool D
flock file -c 'make'
xargs -n 1 tool D
su bob -c make
su -c make app-D
ssh host uptime
ssh -p D host uptime
ssh deploy@D uptime
ssh -- D uptime
""".strip().splitlines()


@pytest.mark.parametrize("line", REFUSED)
def test_data_that_would_be_run_is_found(line: str) -> None:
    at = found(line)
    assert at is not None
    assert words_of(line)[at].data


@pytest.mark.parametrize("line", ALLOWED)
def test_data_behind_what_is_run_is_let_through(line: str) -> None:
    assert found(line) is None


RUN_STANDARD_INPUT = """
sh
bash -e
bash -
python3 -
python3 /dev/stdin
node
perl
sudo -u bob sh
ssh host
su bob
xargs sh -c
xargs env
timeout 5 xargs -n 1 nice
""".strip().splitlines()

MAY_READ_STANDARD_INPUT = """
cat
sh script.sh
sh -c cat
python3 -c 'f()'
perl -ne print
xargs echo
xargs -I {} echo {}
xargs sh -c 'echo $1' sh
ssh host cat
awk '{print}'
env A=1 cat
docker exec -i web sh
""".strip().splitlines()


@pytest.mark.parametrize("line", RUN_STANDARD_INPUT)
def test_data_on_standard_input_is_not_run_either(line: str) -> None:
    assert found(line, stdin=True) == len(words_of(line))
    assert found(line) is None


@pytest.mark.parametrize("line", ["xargs -I {} sh -c 'echo {}'", "xargs -i sh -c 'echo {}'", "xargs -IX python3 -c X"])
def test_what_xargs_puts_into_a_program_is_data(line: str) -> None:
    at = found(line, stdin=True)
    assert at is not None
    assert at == len(words_of(line)) - 1


@pytest.mark.parametrize("line", MAY_READ_STANDARD_INPUT)
def test_a_program_that_is_named_may_read_standard_input(line: str) -> None:
    assert found(line, stdin=True) is None


# Whether the rule is right: real commands, and data that tries to be a program ----------------------------------------

PAYLOADS = """
-c
-ctouch pwned
-Stouch pwned
-S touch pwned
touch pwned
$(touch pwned)
; touch pwned
-esystem('touch pwned')
-cimport os; os.system('touch pwned')
-erequire('child_process').execSync('touch pwned')
--eval=require('child_process').execSync('touch pwned')
BEGIN{system("touch pwned")}
--
-
""".strip().splitlines()

HERE = ("sh", "bash", "python3", "perl", "node", "awk", "env", "timeout", "nice", "xargs", "flock")
CAN_RUN = [line for line in ALLOWED if line.split()[0] in HERE and shutil.which(line.split()[0])]


async def attack(line: str, folder: Path) -> bool:
    """Runs a command with each of the payloads; whether one of them was run."""
    for name in ("script.sh", "tool.py", "tool.pl", "tool.js", "tool.awk", "setup.js"):
        (folder / name).touch()
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    command = [text.replace("$", "$$").replace(MARK, "${$.x}") for text in shlex.split(line)]
    env = {"PATH": f"{folder}:/usr/bin:/bin:${{env.PATH}}"}
    action = {"command": command, "output": "text", "env": env, "stdin": "none"}
    entry = ServiceConfig("svc", {"actions": {"go": action}}, folder, lambda kind, name: os.environ[name])
    service = shell.open_service(entry)
    calls = [service.call(a_call("go", {"x": payload})) for payload in PAYLOADS]
    await asyncio.gather(*calls, return_exceptions=True)
    await service.close()
    return (folder / "pwned").exists()


@pytest.mark.parametrize("line", CAN_RUN)
def test_what_is_let_through_does_not_run_data(line: str, tmp_path: Path) -> None:
    assert not asyncio.run(attack(line, tmp_path))


@pytest.mark.parametrize(
    "line",
    [
        "sh -c D",
        "bash --rcfile /dev/null -c 'echo D'",
        "python3 D",
        "env D",
        "env -S 'sh -c' D",
        "awk D",
        "perl -e '1;' D",
    ],
)
def test_what_is_refused_would_have_run_data(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_command, "find_injection", lambda words, stdin: None)
    assert asyncio.run(attack(line, tmp_path))


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["bash", "--rcfile", "/dev/null", "-c", "echo ${$.n}"], "services.svc.actions.go.command[4]"),
        (["python3", "-cprint(${$.n})"], "services.svc.actions.go.command[1]"),
        (["sh", "-e"], "services.svc.actions.go.command"),
    ],
)
def test_a_command_that_would_run_data_is_refused_with_its_place(command: list[str], place: str) -> None:
    with pytest.raises(InvalidError) as caught:
        open_service(config({"adapter": "shell", "actions": {"go": {"command": command}}}))
    assert (caught.value.code, caught.value.place.path) == ("shell.injection", place)
    assert caught.value.hint
