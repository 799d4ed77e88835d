package report

// What SARIF 2.1.0 calls its objects; only the properties that audit writes.

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool              sarifTool                `json:"tool"`
	Invocations       []sarifInvocation        `json:"invocations"`
	BaseIDs           map[string]sarifArtifact `json:"originalUriBaseIds,omitempty"`
	AutomationDetails sarifID                  `json:"automationDetails"`
	ColumnKind        string                   `json:"columnKind"`
	Results           []sarifResult            `json:"results"`
}

type sarifID struct {
	ID string `json:"id"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifRule struct {
	ID         string              `json:"id"`
	Short      sarifMessage        `json:"shortDescription"`
	Full       sarifMessage        `json:"fullDescription"`
	Help       sarifMessage        `json:"help"`
	Default    sarifLevel          `json:"defaultConfiguration"`
	Properties sarifRuleProperties `json:"properties"`
}

type sarifLevel struct {
	Level string `json:"level,omitempty"`
}

type sarifRuleProperties struct {
	Precision string   `json:"precision,omitempty"`
	Problem   string   `json:"problem.severity,omitempty"`
	Security  string   `json:"security-severity,omitempty"`
	Tags      []string `json:"tags"`
}

type sarifResult struct {
	Rule         string                `json:"ruleId"`
	Index        int                   `json:"ruleIndex"`
	Level        string                `json:"level,omitempty"`
	Message      sarifMessage          `json:"message"`
	Locations    []sarifLocation       `json:"locations"`
	Fingerprints map[string]string     `json:"partialFingerprints"`
	State        string                `json:"baselineState,omitempty"`
	Suppressions []sarifSuppression    `json:"suppressions"`
	Properties   sarifResultProperties `json:"properties"`
}

type sarifResultProperties struct {
	Severity   string  `json:"severity"`
	Confidence string  `json:"confidence"`
	Regression bool    `json:"regression"`
	Loss       float64 `json:"loss"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	Line   int `json:"startLine"`
	Column int `json:"startColumn"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Exit          int                 `json:"exitCode"`
	Started       string              `json:"startTimeUtc"`
	Ended         string              `json:"endTimeUtc"`
	Notifications []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Level   string       `json:"level"`
	Message sarifMessage `json:"message"`
}
