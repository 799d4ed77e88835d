package report

// What tests outside the package need: they import reporttest, which imports report.
var (
	Documents = documents
	Update    = update
)
