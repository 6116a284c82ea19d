#!/usr/bin/env bash
# Accepts new goldens of a workflow run: the steps of accept-goldens.yml.
#
#   accept.sh find      Finds the run, the commit and the branch, for a comment on a pull request or for the number of a run.
#   accept.sh apply     Puts new goldens in place in a checkout of the branch, from which nothing is run.
#   accept.sh push      Commits and pushes them.
#   accept.sh answer    Answers the comment.
#
# What comes from a pull request is data here: its manifest, its folders and the artifact. The scripts and btfbatch come from the workflow's
# own repository.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

# find: who asks for what.
#
# Environment: GH_TOKEN; REPOSITORY; ARTIFACT, its name; and for a comment PULL_REQUEST, COMMENT, COMMENTED_AT, ACTOR; or RUN and IMAGES.
# Outputs: run, sha, branch, images.
find_run() {
	if [ -n "${PULL_REQUEST:-}" ]; then
		from_comment
	else
		from_run
	fi
	git check-ref-format --branch "$branch" > /dev/null || fail "'$branch' is not the name of a branch"
	output run "$run"
	output sha "$sha"
	output branch "$branch"
	output images "$images"
	echo "run $run, commit $sha, branch $branch, images: ${images:-all}"
}

from_comment() {
	local permission state fork asked='' words=() word
	# Members and collaborators may have no more than the right to read.
	permission=$(gh api "repos/$REPOSITORY/collaborators/$ACTOR/permission" --jq .permission) || permission=none
	case $permission in
	admin | write) ;;
	*) fail "only those who may push can accept goldens; $ACTOR has the permission '$permission'" ;;
	esac
	# The first line is /btfbatch accept [sha:COMMIT] [IMAGE...].
	read -ra words <<< "$(head -n 1 <<< "$COMMENT" | tr ',\r' '  ')"
	[ "${words[0]:-} ${words[1]:-}" = "/btfbatch accept" ] || fail "the comment does not start with /btfbatch accept"
	images=''
	for word in "${words[@]:2}"; do
		case $word in
		sha:*) asked=${word#sha:} ;;
		all) ;;
		*) images+=${images:+,}$word ;;
		esac
	done
	IFS=$'\t' read -r state sha branch fork < <(gh api "repos/$REPOSITORY/pulls/$PULL_REQUEST" \
		--jq '[.state, .head.sha, .head.ref, .head.repo.full_name] | @tsv') || fail "the pull request cannot be read"
	[ "$state" = open ] || fail "the pull request is $state"
	[ "$fork" = "$REPOSITORY" ] ||
		fail "the branch is in the fork '$fork', to which this workflow cannot push: download the artifact $ARTIFACT, and use btfbatch golden accept"
	if [ -n "$asked" ]; then
		[[ $asked =~ ^[0-9a-f]{7,40}$ ]] || fail "sha:$asked is not a commit: give 7 to 40 hexadecimal digits"
		[ "${sha:0:${#asked}}" = "$asked" ] || fail "the head of the pull request is ${sha:0:12}, not $asked"
	fi
	# What the author of the comment has seen is a run of the present head that had ended before the comment. After a later push, there is
	# no such run. The times are those of the server.
	run=$(gh api --paginate "repos/$REPOSITORY/actions/artifacts?name=$ARTIFACT&per_page=100" --jq \
		".artifacts[] | select(.expired == false and .workflow_run.head_sha == \"$sha\" and
			.workflow_run.head_repository_id == .workflow_run.repository_id and .created_at <= \"$COMMENTED_AT\") | [.created_at, .workflow_run.id] | @tsv" |
		LC_ALL=C sort | tail -n 1 | cut -f 2)
	[ -n "$run" ] || fail "no run of commit ${sha:0:12} had new goldens (artifact $ARTIFACT) at the time of the comment; if the branch has changed since, look at its new differences and comment again"
}

from_run() {
	local repository
	run=$RUN images=$IMAGES
	[[ $run =~ ^[0-9]+$ ]] || fail "'$run' is not the number of a run, which is the last part of its address"
	IFS=$'\t' read -r sha branch repository < <(gh api "repos/$REPOSITORY/actions/runs/$run" \
		--jq '[.head_sha, .head_branch, .head_repository.full_name] | @tsv') || fail "run $run cannot be read"
	[ "$repository" = "$REPOSITORY" ] || fail "run $run is of the fork '$repository', to which this workflow cannot push"
}

# apply: new goldens into the checkout.
#
# Environment: CHECKOUT, of the branch; NEW, the downloaded artifact; MANIFEST and FOLDER (of goldens), relative to the checkout; IMAGES.
# Output: changed, the number of files.
apply() {
	local folder manifest_dir path to status changes filter n=0 only=()
	checked_path "$MANIFEST" manifest
	checked_path "$FOLDER" goldens-folder
	folder=${FOLDER%/}
	case $folder/ in .github/* | .git/*) fail "goldens-folder '$folder' belongs to git or GitHub" ;; esac
	[ -f "$CHECKOUT/$MANIFEST" ] || fail "the branch has no manifest '$MANIFEST'"
	[ -z "$(find "$CHECKOUT/$folder" -type l 2> /dev/null | head -n 1)" ] || fail "there are symbolic links in '$folder'"

	manifest_dir=$(dirname "$MANIFEST")/
	[ "$manifest_dir" != ./ ] || manifest_dir=''
	[ -z "$(find "$NEW" ! -type f ! -type d | head -n 1)" ] || fail "the artifact has something other than files"
	[ -n "$(find "$NEW" -type f | head -n 1)" ] || fail "the artifact has no new goldens"
	while IFS= read -r -d '' path; do
		to=$manifest_dir${path#"$NEW"/}
		case $to in
		"$folder"/*) ;;
		*) fail "the artifact has '$to', which is not below '$folder'" ;;
		esac
		checked_path "$to" "file of the artifact"
	done < <(find "$NEW" -type f -print0)

	[ -z "$IMAGES" ] || only=(--only="$IMAGES")
	# A manifest can use variables of the environment, which must not reach it here. CI is not set, because this is the one place in CI
	# that is to change goldens.
	(cd "$CHECKOUT" && env -i PATH="$PATH" HOME="$NEW" "$(command -v btfbatch)" golden accept "$MANIFEST" --new-goldens "$NEW" \
		${only[@]+"${only[@]}"}) || fail "the new goldens cannot be accepted; the log of this step has the reason"

	changes=$(mktemp)
	git -C "$CHECKOUT" status --porcelain=v1 -z --untracked-files=all --no-renames > "$changes" || fail "git cannot say what has changed"
	while IFS= read -r -d '' status; do
		path=${status:3}
		case $path in
		"$folder"/*) ;;
		*) fail "'$path' was changed, which is not below '$folder'" ;;
		esac
		if [ ! -f "$CHECKOUT/$path" ] || [ -L "$CHECKOUT/$path" ]; then fail "'$path' is not a file"; fi
		# The files of Git LFS are not in its commits, and the push here would leave them out.
		filter=$(git -C "$CHECKOUT" check-attr -z filter -- "$path" | tr '\0' '\n' | sed -n 3p)
		[ "$filter" != lfs ] || fail "'$path' is kept in Git LFS: download the artifact, and use btfbatch golden accept"
		n=$((n + 1))
	done < "$changes"
	output changed $n
	echo "$n goldens are accepted"
}

# checked_path PATH WHAT: refuses a path that leaves the checkout, or that leads through a symbolic link there.
checked_path() {
	local at=$CHECKOUT part parts=()
	case /$1/ in
	// | *//*/* | */../* | */./*) fail "the $2 '$1' is not a plain path below the top of the repository" ;;
	esac
	[[ $1 != /* && $1 != *\\* && $1 != *[[:cntrl:]]* ]] || fail "the $2 '$1' is not a plain path below the top of the repository"
	IFS=/ read -ra parts <<< "$1"
	for part in "${parts[@]}"; do
		at+=/$part
		[ ! -L "$at" ] || fail "the $2 '$1' leads through a symbolic link"
	done
}

# push: one commit on top of the commit that was looked at. If the branch has moved since, in any direction, or is gone, git refuses it: a
# branch that was set back must not get its old commits again. The lease is a condition here. It overwrites nothing, because the commit is on
# top of what it names.
#
# Environment: CHECKOUT, BRANCH, FOLDER, ACTOR, RUN_URL, TOKEN; SERVER, the address that the token is for.
push() {
	local git=(git -C "$CHECKOUT" -c core.hooksPath=/dev/null -c user.name='github-actions[bot]'
		-c user.email='41898282+github-actions[bot]@users.noreply.github.com')
	local seen
	seen=$("${git[@]}" rev-parse HEAD)
	"${git[@]}" add -A -- "$FOLDER"
	"${git[@]}" commit -q --no-verify -m "goldens: accept the new goldens of a run" -m "Accepted by $ACTOR. The run is $RUN_URL."
	# The token is neither in the arguments, which other processes see, nor in the configuration.
	GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$SERVER/.extraheader" \
		GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 | tr -d '\n')" \
		"${git[@]}" push -q --force-with-lease="refs/heads/$BRANCH:$seen" origin "HEAD:refs/heads/$BRANCH" ||
		fail "the branch $BRANCH cannot be pushed: it has moved, it is gone, or it is protected"
	output commit "$("${git[@]}" rev-parse HEAD)"
}

# answer: a comment on the pull request.
#
# Environment: GH_TOKEN, REPOSITORY, PULL_REQUEST, COMMENT_ID, RESULT (success or another word), COMMIT, CHANGED, LOG (address of this run).
answer() {
	local text reaction=-1
	if [ "$RESULT" = success ]; then
		reaction=+1
		text="Accepted $CHANGED new goldens in ${COMMIT:-no commit, because nothing changed}. A commit by the default token starts no workflows: push a commit, or close and open the pull request, to run the checks again."
	else
		text="The new goldens are not accepted; [the log]($LOG) has the reason."
	fi
	gh api "repos/$REPOSITORY/issues/comments/$COMMENT_ID/reactions" -f content="$reaction" --silent
	gh api "repos/$REPOSITORY/issues/$PULL_REQUEST/comments" -f body="$text" --silent
}

case ${1:-} in
find) find_run ;;
apply) apply ;;
push) push ;;
answer) answer ;;
*) fail "use accept.sh find, apply, push or answer" ;;
esac
