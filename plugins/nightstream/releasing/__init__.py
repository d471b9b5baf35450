"""The pure core of releases: which version is a candidate, whether it is good enough, what is next
for endpoint and alias. No I/O; the operators in operators/model see and act."""
