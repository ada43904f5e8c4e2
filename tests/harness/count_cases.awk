# "N passed, N failed" over a run of ctest: single cases where a program reports them (GoogleTest), whole
# programs elsewhere. The first file tells the outcome of each program, the second what it printed.
FNR == NR {
  if ($0 ~ /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: /) {
    sub(/^[^:]*: /, "")
    outcome[$1] = /   Passed +[0-9.]+ sec/ ? "passed" : /\*\*\*(Skipped|Not Run \(Disabled\))/ ? "skipped" : "failed"
  }
  next
}
/^[0-9]+\/[0-9]+ Testing: / { name = $3 }
/^\[       OK \] / { ok[name]++ }
/^\[  FAILED  \] .* \([0-9]+ ms\)$/ { bad[name]++ }
END {
  for (name in outcome) {
    if (outcome[name] == "passed") passed += ok[name] ? ok[name] : 1
    if (outcome[name] == "failed") { passed += ok[name]; failed += bad[name] ? bad[name] : 1 }
    if (outcome[name] == "skipped") print "skipped: " name
  }
  printf "%d passed, %d failed\n", passed, failed
}
