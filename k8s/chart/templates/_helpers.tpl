{{- define "stakeout.name" -}}
{{- if contains "stakeout" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-stakeout" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "stakeout.selector" -}}
app.kubernetes.io/name: stakeout
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "stakeout.labels" -}}
{{ include "stakeout.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
