#!/bin/sh
# The order's story, told by running it: `make demo`, or `sh workflows/order/demo.sh` from the top of the repository
# with wfrun installed. What the executions and the services keep goes to .demo/, which is emptied first.
# Exits 0 only if every run ended the way it should.
set -u

WFRUN_HOME=.demo/executions
WFRUN_SANDBOX=.demo/services
export WFRUN_HOME WFRUN_SANDBOX
unset WFRUN_FAIL
rm -rf "$WFRUN_HOME" "$WFRUN_SANDBOX"
mkdir -p .demo

bold='' plain='' green='' red=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m') green=$(printf '\033[32m') red=$(printf '\033[31m')
fi
failures=0

chapter() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# A fact about what just happened; the demo is also a test.
check() {
    what=$1
    shift
    if "$@"; then
        printf '  %sok%s  %s\n' "$green" "$plain" "$what"
    else
        printf '  %sNOT SO%s  %s\n' "$red" "$plain" "$what"
        failures=$((failures + 1))
    fi
}

# Shows a command and runs it; its exit code is left in $code. On a terminal one sees it move, elsewhere only its outcome.
show() {
    printf '%s$ %s%s\n' "$bold" "$1" "$plain"
    if [ -t 1 ]; then
        sh -c "$1"
        code=$?
    else
        sh -c "$1" >.demo/output
        code=$?
        sed -n '/ · order (version /,$p; /^EXECUTION/,$p' .demo/output
    fi
}

# Tables of what the services know, named by their first words: one row for each effect there ever was.
tables() {
    python -m workflows.order.services state | awk -v RS= -v ORS='\n\n' -v wanted="$1" 'match($0, "^(" wanted ")")'
}

charged_once() { [ "$(tables charges | grep -c "^  $1 .* -\$")" = 1 ] && [ "$(tables charges | grep -c "^  $1 ")" = 1 ]; }
in_stock() { tables stock | grep -q "TV-SAM-55 .* $1\$"; }
undone() { [ "$(wfrun log "$(latest)" --raw | sed -n 's/.*"step":"compensate:\([a-z-]*\)","type":"step.completed".*/\1/p' | tr '\n' ' ')" = "$1 " ]; }
latest() { wfrun list --limit 1 --json | sed -n 's/.*"execution": "\(.*\)",*/\1/p'; }

order='wfrun run workflows/order/order.yaml --input workflows/order/order.json'

chapter '1. An order: a $649.99 television, $729.58 with shipping and tax, through seven systems.'
show "$order"
check 'completed (exit code 0)' [ "$code" = 0 ]
check 'charged once' charged_once "$(latest)"

chapter '2. The same, and the card is declined. What was reserved goes back.'
show "WFRUN_FAIL=payment=decline $order"
check 'compensated (exit code 5)' [ "$code" = 5 ]
check 'the stock was released, the first order keeps its television' in_stock 4999

chapter '3. The card is charged, then the carrier is down, four times over. Refund first, then release.'
show "WFRUN_FAIL=shipping=down $order"
check 'compensated (exit code 5)' [ "$code" = 5 ]
check 'process-payment was undone first, reserve-inventory after it' undone 'process-payment reserve-inventory'

chapter '4. The power goes out: kill -9, after the card was charged and before anybody here was told.'
printf '%s$ WFRUN_FAIL=payment=stall %s --id unplugged & kill -9 $!%s\n' "$bold" "$order" "$plain"
WFRUN_FAIL=payment=stall $order --id unplugged >.demo/output &
runner=$!
tries=0
until tables charges | grep -q '^  unplugged ' || [ "$tries" -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
kill -9 "$runner"
wait "$runner" 2>/dev/null
check 'killed in the middle (exit code 137)' [ "$?" = 137 ]
check 'the card is charged' charged_once unplugged
show 'wfrun list --status interrupted'
show 'wfrun resume unplugged'
check 'completed (exit code 0)' [ "$code" = 0 ]
check 'charged once, although it was asked for twice, with the same idempotency key' charged_once unplugged

chapter 'What the services know:'
printf '%s$ WFRUN_SANDBOX=%s python -m workflows.order.services state%s   (in parts)\n' "$bold" "$WFRUN_SANDBOX" "$plain"
tables charges
python -m workflows.order.services state | grep -E '^  (system .*calls|payment +(charge|refund) +[0-9])'

if [ "$failures" -gt 0 ]; then
    printf '\n%s%d things were not as they should be.%s\n' "$red" "$failures" "$plain"
    exit 1
fi
activate=''
[ -x .venv/bin/wfrun ] && activate='  . .venv/bin/activate                                                   puts wfrun on your path
'
cat <<END

${bold}Every order was charged once, or not at all.${plain} What to try next:
${activate}  WFRUN_HOME=.demo/executions wfrun log unplugged                         what you have just seen, step by step
  wfrun run workflows/loan/loan.yaml --input workflows/loan/loan.json     a loan that waits for your approval
  wfrun init my-process                                                   a workflow of your own to begin with
END
