#!/usr/bin/env bash
# Runs btfbatch and keeps its exit code, so that later steps can upload what it wrote.
#
# Environment: the inputs of the action, in capitals and with _ for -.
# Outputs: verdict, exit-code, differs and failed, which btfbatch writes itself; report, plan; and for later steps folder (of what is
# uploaded), proposed (new goldens were written) and code (with which the action ends).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

work=$(mktemp -d "$RUNNER_TEMP/btfbatch-XXXXXX")
mkdir "$work/report"
output folder "$work"
cd "$WORKING_DIRECTORY" || fail "working-directory '$WORKING_DIRECTORY' is not a folder"

summary_file=${GITHUB_STEP_SUMMARY:-}
[ "$SUMMARY" = true ] || summary_file=''
[ -z "$MEMORY" ] || export GOMEMLIMIT=$MEMORY

# ended CODE: the outputs of a command that ended without a report.
ended() {
	local verdict=error
	[ "$1" != 0 ] || verdict=ok
	output verdict "$verdict"
	output exit-code "$1"
	output differs '[]'
	output failed '[]'
	output code "$1"
}

# plan FORMAT MAX PER_PART: divides the images, and prints the parts.
plan() {
	local choice=()
	[ -z "$IMAGES" ] || choice=(--only "$IMAGES")
	btfbatch plan "$MANIFEST" --format "$1" --max "$2" --per-part "$3" ${choice[@]+"${choice[@]}"}
}

# judged COMMAND...: runs btfbatch with reports in every format.
judged() {
	local code=0
	GITHUB_STEP_SUMMARY=$summary_file GITHUB_OUTPUT=$work/outputs btfbatch "$@" --annotations "$ANNOTATIONS" --report text \
		--report json="$work/report/report.json" --report junit="$work/report/junit.xml" --report markdown="$work/report/report.md" \
		--report html="$work/report/report.html" || code=$?
	if [ ! -s "$work/outputs" ]; then
		[ $code != 0 ] || code=1
		problem "btfbatch ended with exit code $code and without a report; the log of this step has the reason"
		ended $code
		return
	fi
	cat "$work/outputs" >> "$GITHUB_OUTPUT"
	output report "$work/report/report.json"
	if [ "$GOLDENS" = off ] && [ $code = 3 ]; then
		echo "differences from goldens do not fail this step (goldens: off)"
		code=0
	fi
	output code $code
}

run() {
	local call=(run "$MANIFEST") more=()
	read -ra more <<< "$(tr '\n' ' ' <<< "$ARGS")"
	case $GOLDENS in
	check | off) ;;
	new) call+=(--new-goldens "$work/goldens") ;;
	*) fail "goldens is '$GOLDENS': use check, new or off" ;;
	esac
	[ -z "$JOBS" ] || call+=(--jobs "$JOBS")
	if [ -n "$SHARD" ]; then
		[ -z "$IMAGES$IMAGES_FROM$PART" ] || fail "shard cannot be combined with images, images-from and part"
		call+=("--shard=$SHARD")
	elif [ -n "$IMAGES_FROM" ]; then
		[ -z "$IMAGES" ] || fail "images cannot be combined with images-from"
		call+=(--only-from "$IMAGES_FROM")
		[ -z "$PART" ] || call+=(--part "$PART")
	elif [ -n "$IMAGES" ]; then
		call+=(--only "$IMAGES")
	fi
	judged "${call[@]}" ${more[@]+"${more[@]}"}
	if [ -d "$work/goldens" ] && [ -n "$(find "$work/goldens" -type f | head -n 1)" ]; then
		output proposed true
	fi
}

merge() {
	[ -n "$IMAGES_FROM" ] || fail "merge needs images-from: the plan says which images must have a result"
	local list file files=() more=()
	list=$(find "$REPORTS" -type f -name report.json | LC_ALL=C sort) || fail "reports: '$REPORTS' cannot be read"
	[ -n "$list" ] || fail "reports: there is no report.json below '$REPORTS'"
	while IFS= read -r file; do files+=("$file"); done <<< "$list" # macOS has no mapfile
	read -ra more <<< "$(tr '\n' ' ' <<< "$ARGS")"
	judged report merge --plan "$IMAGES_FROM" "${files[@]}" ${more[@]+"${more[@]}"}
}

case $COMMAND in
run) run ;;
merge) merge ;;
plan)
	code=0 matrix=''
	plan json "$MAX" "$PER_PART" > "$work/report/plan.json" || code=$?
	[ $code != 0 ] || matrix=$(plan github-matrix "$MAX" "$PER_PART") || code=$?
	if [ $code = 0 ]; then
		output plan "$matrix"
		output report "$work/report/plan.json"
	else
		rm -f "$work/report/plan.json"
		problem "the manifest cannot be planned; the log of this step has the reason"
	fi
	ended $code
	;;
*) fail "command is '$COMMAND': use run, plan, merge or install" ;;
esac
