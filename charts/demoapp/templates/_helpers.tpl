{{- define "demoapp.name" -}}
{{- printf "%s" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "demoapp.version" -}}
{{- .Values.deployment.version | default .Values.deployment.tag -}}
{{- end }}

{{- define "demoapp.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default .Values.service.name -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{/* A Deployment's selector cannot change, and promotion upgrades a release to another version: no version here. */}}
{{- define "demoapp.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "demoapp.labels" -}}
{{ include "demoapp.selector" . }}
app.kubernetes.io/version: {{ include "demoapp.version" . | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}
