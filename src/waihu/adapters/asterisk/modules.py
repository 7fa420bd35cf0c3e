"""The Asterisk modules that our instances load. Asterisk does not pull in what a module depends on, so each list
is complete; `runtime.py` checks that every one of them finds its libraries.
"""

_SIP = (
    *("res_pjproject", "res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_pubsub"),
    *("res_pjsip_authenticator_digest", "res_pjsip_outbound_authenticator_digest"),
    *("res_pjsip_caller_id", "res_pjsip_nat", "res_pjsip_dtmf_info", "res_pjsip_rfc3326"),
    *("res_pjsip_header_funcs", "res_pjsip_logger", "res_rtp_asterisk", "chan_pjsip"),
)

_COMMON = (
    *("res_timing_timerfd", "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb"),
    *("codec_ulaw", "codec_alaw", "codec_a_mu", "format_wav", "format_pcm"),
    *("bridge_simple", "bridge_softmix", "pbx_config"),
    *("func_callerid", "func_channel", "func_global", "func_logic", "func_strings", "func_timeout"),
    "app_playback",
    *_SIP,
)

SWITCH_MODULES = (
    *_COMMON,
    *("res_pjsip_endpoint_identifier_ip", "res_pjsip_outbound_registration", "res_pjsip_refer", "res_srtp"),
    *("codec_resample", "format_sln", "bridge_holding", "bridge_native_rtp"),
    *("res_http_websocket", "res_websocket_client", "chan_websocket", "chan_bridge_media", "app_mixmonitor"),
    *("res_stasis", "res_stasis_answer", "res_stasis_playback", "res_stasis_recording", "res_stasis_snoop"),
    *("app_stasis", "res_ari", "res_ari_model", "res_ari_applications", "res_ari_asterisk", "res_ari_bridges"),
    *("res_ari_channels", "res_ari_endpoints", "res_ari_events", "res_ari_playbacks", "res_ari_recordings"),
    "res_ari_sounds",
)

CARRIER_BOX_MODULES = (
    *_COMMON,
    *("res_pjsip_endpoint_identifier_anonymous", "res_pjsip_registrar", "app_senddtmf", "app_stack"),
    *("app_waitforsilence", "func_env", "func_groupcount", "func_lock"),
)
