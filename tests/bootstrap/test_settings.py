"""What an operator may write, and what is said when it is wrong: always the name and the fix."""

from pathlib import Path

import pytest

from waihu.domain.errors import Invalid
from waihu.settings import Address, read_settings


def test_nothing_set_means_loopback_and_everything_of_our_own() -> None:
    settings = read_settings({})
    assert settings.data == Path("~/.local/share/waihu").expanduser()
    assert (settings.http, settings.database_url, settings.ari_url) == (None, None, None)
    assert settings.has_switch
    assert settings.sip_address == "127.0.0.1"
    assert settings.callback_allow == ()


def test_the_command_line_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"WAIHU_DATA": "/elsewhere", "WAIHU_HTTP": "127.0.0.1:1"}
    settings = read_settings(environment, data=tmp_path, http="127.0.0.2:8081")
    assert settings.data == tmp_path
    assert settings.http == Address("127.0.0.2", 8081)


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read_settings({"WAIHU_DATABASE_URL": "", "WAIHU_SIP_PORT": ""}) == read_settings({})


def test_addresses_may_be_v6() -> None:
    settings = read_settings({"WAIHU_HTTP": "[::1]:8080"})
    assert settings.http == Address("::1", 8080)
    assert str(settings.http) == "[::1]:8080"


def test_networks_for_callbacks_are_a_list() -> None:
    settings = read_settings({"WAIHU_CALLBACK_ALLOW": "10.0.0.0/8, 192.168.1.7"})
    assert settings.callback_allow == ("10.0.0.0/8", "192.168.1.7/32")


def test_the_key_that_signs_tokens_may_lie_elsewhere() -> None:
    assert read_settings({}).token_key is None
    assert read_settings({"WAIHU_TOKEN_KEY": "/shared/key.pem"}).token_key == Path("/shared/key.pem")


def test_audio_ports_are_a_span() -> None:
    assert read_settings({"WAIHU_RTP_PORTS": "30000-30099"}).rtp_ports == range(30000, 30100)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAIHU_HTTP", "8080"),
        ("WAIHU_HTTP", "127.0.0.1:http"),
        ("WAIHU_HTTP", "127.0.0.1:99999"),
        ("WAIHU_HTTP", "user@127.0.0.1:80"),
        ("WAIHU_DATABASE_URL", "mysql://db/waihu"),
        ("WAIHU_DATABASE_URL", "postgresql:///waihu"),
        ("WAIHU_ARI_URL", "127.0.0.1:8088"),
        ("WAIHU_PUBLIC_URL", "calls.example.com"),
        ("WAIHU_SIP_ADDRESS", "sip.example.com"),
        ("WAIHU_SIP_PORT", "0"),
        ("WAIHU_SIP_PORT", "65536"),
        ("WAIHU_SIP_PORT", "٥٠٦٠"),
        ("WAIHU_RTP_PORTS", "20000"),
        ("WAIHU_RTP_PORTS", "20001-20000"),
        ("WAIHU_CALLBACK_ALLOW", "10.0.0.1/8"),
        ("WAIHU_CALLBACK_ALLOW", "intranet"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_settings({name: value})
    assert list(refused.value.problems) == [name]


def test_a_password_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(Invalid) as refused:
        read_settings({"WAIHU_DATABASE_URL": "mysql://waihu:secret-word@db/waihu"})
    assert "secret-word" not in str(refused.value)


def test_no_switch_contradicts_a_switch_of_your_own() -> None:
    with pytest.raises(Invalid) as refused:
        read_settings({"WAIHU_ARI_URL": "http://u:p@127.0.0.1:8088"}, no_switch=True)
    assert list(refused.value.problems) == ["--no-switch"]
