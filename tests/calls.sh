#!/bin/sh
# calls.sh - no two files call each other, directly or through others.
#
#	tests/calls.sh BUILD FOLDER ...
#
# The objects below BUILD/FOLDER are the files. One file calls another if it needs a symbol (nm:
# U) that the other defines. Calls through a table of functions need no symbol: so a lower file
# can be given a function of a higher one. A cycle is printed, and the exit status is 1.
set -eu

build=$1
shift
status=0
for folder; do
	find "$build/$folder" -name '*.o' | sort | while read -r object; do
		file=${object#"$build"/}
		[ -e "${file%.o}.c" ] || continue # an object of a source that has moved
		nm -P "$object" | awk -v file="${file%.o}.c" '{ print file, $1, $2 }'
	done | awk -v folder="$folder" '
	$3 ~ /^[TDRBCGSV]$/ { definers[$2] = definers[$2] " " $1; seen[$1] = 1 }
	$3 == "U" { needs[$1] = needs[$1] " " $2 }
	# depth first: a file that is open (1) is reached again by a cycle
	function visit(file, path,    i, j, n, m, symbols, files) {
		state[file] = 1
		n = split(needs[file], symbols, " ")
		for (i = 1; i <= n; i++) {
			m = split(definers[symbols[i]], files, " ")
			for (j = 1; j <= m; j++) {
				if (files[j] == file || (file, files[j]) in told)
					continue
				if (state[files[j]] == 1) {
					print "cycle: " path " -> " files[j] " (" symbols[i] ")"
					told[file, files[j]]
					failed = 1
				} else if (state[files[j]] == 0) {
					visit(files[j], path " -> " files[j])
				}
			}
		}
		state[file] = 2
	}
	END {
		for (file in seen)
			count++
		if (count == 0) {
			print folder ": no objects"
			exit 1
		}
		for (file in seen)
			if (state[file] == 0)
				visit(file, file)
		exit failed
	}' || status=1
done
exit $status
